/**
 * Work that may wait: it gets a part of the event loop's time, so that what may not wait comes in between.
 *
 * Invariant: each piece that is taken is done once, in order, and not before its delay is over. Where more
 * comes than is done, its senders wait; what waits is bounded.
 */

/** No further piece is begun in a turn once so much time has passed; then the loop is others'. */
const TURN_MS = 0.25
const REST_MS = 1
const MAX_WAITING = 20_000

export class Turns {
  readonly #delayMs: number
  readonly #waiting: { readonly at: number; readonly work: () => void }[] = []
  #scheduled = false

  /** @param delayMs - How long each piece waits at least. */
  constructor(delayMs: number) {
    this.#delayMs = delayMs
  }

  /** Pieces that are not done. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** @param work - Must not throw. @returns False where too much waits; then it is not done. */
  add(work: () => void): boolean {
    if (this.#waiting.length >= MAX_WAITING) return false
    this.#waiting.push({ at: performance.now() + this.#delayMs, work })
    if (this.#scheduled) return true
    this.#scheduled = true
    if (this.#delayMs === 0) setImmediate(() => this.#turn())
    else setTimeout(() => this.#turn(), this.#delayMs)
    return true
  }

  #turn(): void {
    const began = performance.now()
    let now = began
    let done = 0
    for (const { at, work } of this.#waiting) {
      if (at > now || now - began >= TURN_MS) break
      work()
      done++
      now = performance.now()
    }
    this.#waiting.splice(0, done)
    const [next] = this.#waiting
    this.#scheduled = next !== undefined
    if (next !== undefined) setTimeout(() => this.#turn(), Math.max(REST_MS, next.at - now))
  }
}
