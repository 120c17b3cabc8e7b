/** Clients that ask with good and bad keys all the time, on instances that come and go. */
import { setTimeout as sleep } from "node:timers/promises"
import { SCOPES } from "../../src/keys/scopes.ts"
import type { Random } from "../kills/random.ts"
import type { Cluster } from "./cluster.ts"
import type { History } from "./history.ts"
import type { Slot } from "./life.ts"
import type { Reply } from "./wire.ts"
import { Wire } from "./wire.ts"

/** What lies ready, what is looked up for each request, and another scope. */
const TARGETS = [
  { weight: 6, path: "/v1/analyze?domain=approve.test", needs: SCOPES.analyze },
  { weight: 1, path: "/v1/analyze?domain=approve.test&fresh=true", needs: SCOPES.analyze },
  { weight: 3, path: "/v1/usage", needs: SCOPES["usage:read"] },
]
const FORMER_SHARE = 0.1
const RETRY_MS = 5

/** One client. */
export async function ask(
  cluster: Cluster,
  history: History,
  random: Random,
  slots: readonly Slot[],
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const n = cluster.any(random)
    const slot = slots[Math.floor(random.next() * slots.length)]
    const instance = cluster.instance(n)
    if (instance === undefined || slot === undefined) {
      await sleep(RETRY_MS)
      continue
    }
    const key = random.next() < FORMER_SHARE ? (slot.former ?? slot.key) : slot.key
    const { path, needs } = random.pick(TARGETS)
    try {
      const wire = Wire.to(instance)
      const line = await wire.take()
      const began = performance.now()
      const reply = await line.get(path, key)
      const ended = performance.now()
      wire.giveBack(line)
      history.asked({ key, needs, began, ended, answer: nameOf(reply), instance: n })
    } catch {
      await sleep(RETRY_MS) // it was killed: no answer is no wrong answer
    }
  }
}

function nameOf({ status, body }: Reply): string {
  const code = status === 200 ? "" : String(JSON.parse(body).error?.code ?? status)
  // The plan has no rate: the key was good, and the tenant looks too often for something new.
  return status === 200 || code === "RATE_LIMITED" ? "SERVED" : code
}
