/**
 * Work that may wait: it gets a part of the event loop's time, so that what may not wait comes in between.
 *
 * Invariant: each piece that is taken is done once, in the order in which they are due, and not before. Where
 * more comes than is done, its senders wait; what waits is bounded.
 */

/** No further piece is begun in a turn once so much time has passed; then the loop is others'. */
const TURN_MS = 0.25
const REST_MS = 1
const MAX_WAITING = 20_000

export class Turns {
  readonly #delayMs: number
  readonly #spreadMs: number
  /** By when they are due. */
  readonly #waiting: { readonly at: number; readonly work: () => void }[] = []
  #timer: NodeJS.Timeout | undefined

  /**
   * @param delayMs - How long each piece waits at least.
   * @param spreadMs - How much longer at most, by chance: what came at once does not come back at once.
   */
  constructor(delayMs: number, spreadMs = 0) {
    this.#delayMs = delayMs
    this.#spreadMs = spreadMs
  }

  /** Pieces that are not done. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** @param work - Must not throw. @returns False where too much waits; then it is not done. */
  add(work: () => void): boolean {
    if (this.#waiting.length >= MAX_WAITING) return false
    const waitMs = this.#delayMs + Math.random() * this.#spreadMs
    const at = performance.now() + waitMs
    const place = this.#waiting.findLastIndex((one) => one.at <= at) + 1
    this.#waiting.splice(place, 0, { at, work })
    if (place > 0) return true
    clearTimeout(this.#timer)
    if (waitMs === 0) setImmediate(() => this.#turn())
    else this.#timer = setTimeout(() => this.#turn(), waitMs)
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
    if (next === undefined) return
    this.#timer = setTimeout(() => this.#turn(), Math.max(REST_MS, next.at - now))
  }
}
