/**
 * A lane: one statement in flight, what arrives meanwhile is the next batch. After a small one under
 * load, who was just answered is waited for a moment: two statements cost the database more than one.
 *
 * Owns: batching, the bound and the deadline of whoever waits. Not: what the statement is.
 * Invariant: each that is added is settled once, within its deadline.
 */
import type { Batch } from "./batch.ts"
import { emptyBatch } from "./batch.ts"

const MAX_WAITING = 20_000
const MAX_BATCH = 1_000
/** From its arrival. Past it, who waits is refused, and what the statement still does is voided. */
const DEADLINE_MS = 3_000
/** A batch of so many is load… */
const LOAD = 8
/** …and one of fewer than so many small for what a statement costs: several instances have such… */
const LARGE = 24
/** …so the next one waits for as many, so long at most. */
const HOLD_MS = 1
const NOBODY = Number.POSITIVE_INFINITY

export interface LaneOptions {
  /**
   * Runs one statement and settles its batch.
   * @param late - True once the deadline has passed: the batch was refused then.
   * @param since - When the first of them arrived, by `performance.now`.
   */
  run(batch: Batch, late: () => boolean, since: number): Promise<void>
  /** Told when a statement passes its deadline. */
  onLate(): void
  /** Settles a batch, or one of a batch, that no statement will settle in time. */
  refuse(batch: Batch): void
}

export class Lane {
  readonly #options: LaneOptions
  #waiting: Batch = emptyBatch()
  #waitingSince = NOBODY
  /** Runs while more are waited for, until so many are there. */
  #hold: NodeJS.Timeout | undefined
  #expected = 0
  #scheduled = false
  /** The statement in flight is past its deadline: whoever comes is refused at once. */
  #stuck = false

  constructor(options: LaneOptions) {
    this.#options = options
  }

  /** @param since - When it arrived, where that was not now. */
  addArrival(one: Batch["arrivals"][number], since?: number): void {
    if (this.#stuck || this.#waiting.arrivals.length >= MAX_WAITING) {
      this.#options.refuse({ arrivals: [one], finished: [] })
      return
    }
    this.#waiting.arrivals.push(one)
    this.#arrived(since)
  }

  /** @param since - As of an arrival. */
  addFinished(one: Batch["finished"][number], since?: number): void {
    if (this.#stuck) {
      this.#options.refuse({ arrivals: [], finished: [one] })
      return
    }
    this.#waiting.finished.push(one)
    this.#arrived(since)
  }

  #arrived(since?: number): void {
    if (since !== undefined) this.#waitingSince = Math.min(this.#waitingSince, since)
    else if (this.#waitingSince === NOBODY) this.#waitingSince = performance.now()
    if (this.#hold !== undefined && sizeOf(this.#waiting) >= this.#expected) this.#endHold()
    else this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      const batch = {
        arrivals: this.#waiting.arrivals.splice(0, MAX_BATCH),
        finished: this.#waiting.finished.splice(0, MAX_BATCH),
      }
      const since = this.#waitingSince
      if (sizeOf(this.#waiting) === 0) this.#waitingSince = NOBODY
      this.#run(batch, since).finally(() => {
        this.#stuck = false
        this.#expected = sizeOf(batch) + sizeOf(this.#waiting)
        if (sizeOf(batch) < LOAD || sizeOf(batch) >= LARGE) this.#next()
        else this.#hold = setTimeout(() => this.#endHold(), HOLD_MS)
      })
    })
  }

  #endHold(): void {
    clearTimeout(this.#hold)
    this.#hold = undefined
    this.#next()
  }

  #next(): void {
    this.#scheduled = false
    if (sizeOf(this.#waiting) > 0) this.#schedule()
  }

  async #run(batch: Batch, since: number): Promise<void> {
    const leftMs = Math.max(0, since + DEADLINE_MS - performance.now())
    const deadline = setTimeout(() => {
      this.#stuck = true
      this.#options.onLate()
      this.#options.refuse(batch)
      this.#options.refuse(this.#waiting)
      this.#waiting = emptyBatch()
      this.#waitingSince = NOBODY
    }, leftMs)
    try {
      await this.#options.run(batch, () => this.#stuck, since)
    } finally {
      clearTimeout(deadline)
    }
  }
}

function sizeOf({ arrivals, finished }: Batch): number {
  return arrivals.length + finished.length
}
