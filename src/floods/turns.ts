/**
 * Work that may wait: a little of it a turn of the event loop, so that what may not wait comes in between.
 *
 * Invariant: each piece is done once, in order, one a turn at least. Where more comes than is done, its
 * senders wait.
 */

export class Turns {
  readonly #budgetMs: number
  #waiting: (() => void)[] = []
  #scheduled = false

  /** @param budgetMs - No further piece is begun in a turn once so much time has passed. */
  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs
  }

  /** @param work - Must not throw. */
  add(work: () => void): void {
    this.#waiting.push(work)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      const end = performance.now() + this.#budgetMs
      let done = 0
      do this.#waiting[done++]?.()
      while (done < this.#waiting.length && performance.now() < end)
      this.#waiting.splice(0, done)
      if (this.#waiting.length > 0) this.#schedule()
    })
  }
}
