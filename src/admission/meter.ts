/** How an instance's admission does: sizes and durations of its statements, and how many failed. */
import { LATENCY_BUCKETS_MS } from "./batch.ts"

const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

/** Counts since the start. `counts` has one more than `bounds`: what is above them all. */
export interface Histogram {
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
  readonly sum: number
}

export class Meter {
  readonly #sizes = new Counts(SIZES)
  readonly #durationsMs = new Counts(LATENCY_BUCKETS_MS)
  #failures = 0

  /** @param size - Arrivals and outcomes of a statement. @param ms - How long it took. */
  done(size: number, ms: number): void {
    this.#sizes.add(size)
    this.#durationsMs.add(ms)
  }

  failed(): void {
    this.#failures++
  }

  snapshot(): Measured {
    return {
      sizes: this.#sizes.snapshot(),
      durationsMs: this.#durationsMs.snapshot(),
      failures: this.#failures,
    }
  }
}

export interface Measured {
  readonly sizes: Histogram
  readonly durationsMs: Histogram
  /** Statements that the database refused, or whose answer did not come. */
  readonly failures: number
}

class Counts {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = Array(bounds.length + 1).fill(0)
  }

  add(value: number): void {
    const index = this.#bounds.findIndex((bound) => value <= bound)
    const at = index === -1 ? this.#bounds.length : index
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.#sum += value
  }

  snapshot(): Histogram {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum }
  }
}
