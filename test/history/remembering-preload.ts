/** Loaded into the program by NODE_OPTIONS: takes the wall down that the history checker is for. */
import { Admission } from "../../src/admission/admission.ts"

const GOOD_MS = 1_000
const good = new Map<string, { until: number; settled: Parameters<Settle> }>()

type Settle = Parameters<Admission["admit"]>[1]

const admit = Admission.prototype.admit
Admission.prototype.admit = function (arrival, settle) {
  const known = good.get(arrival.digest)
  if (known !== undefined && known.until > Date.now()) {
    settle(...known.settled)
    return
  }
  admit.call(this, arrival, (...settled) => {
    if (!(settled[0] instanceof Error)) {
      good.set(arrival.digest, { until: Date.now() + GOOD_MS, settled })
    }
    settle(...settled)
  })
}
