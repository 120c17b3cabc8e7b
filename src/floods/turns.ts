/**
 * Work that may wait: a few pieces a turn of the event loop, so that what may not wait comes in between.
 *
 * Invariant: each piece is done once, in order. Where more comes than is done, its senders wait.
 */

export class Turns {
  readonly #perTurn: number
  #waiting: (() => void)[] = []
  #scheduled = false

  constructor(perTurn: number) {
    this.#perTurn = perTurn
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
      for (const work of this.#waiting.splice(0, this.#perTurn)) work()
      if (this.#waiting.length > 0) this.#schedule()
    })
  }
}
