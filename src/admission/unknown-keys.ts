/**
 * Requests with well-formed keys that nobody has, counted by minute: a row each would let strangers
 * fill the disk.
 *
 * Invariant: memory is bounded, and no request waits; a crash loses the counts of a minute.
 */
import type { Database } from "../db/database.ts"

const MINUTE_MS = 60_000
/** While the database is away; what is older is forgotten. */
const MAX_MINUTES = 60

export class UnknownKeys {
  readonly #database: Pick<Database, "callAside">
  readonly #statement: string
  readonly #now: () => number
  #minutes = new Map<number, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(database: Pick<Database, "callAside">, schema: string, now: () => number) {
    this.#database = database
    this.#statement = `select ${schema}.count_unknown_keys($1, $2)`
    this.#now = now
  }

  add(requests: number, at: number = this.#now()): void {
    const minute = Math.floor(at / MINUTE_MS) * MINUTE_MS
    this.#minutes.set(minute, (this.#minutes.get(minute) ?? 0) + requests)
    const [oldest] = this.#minutes.keys()
    if (this.#minutes.size > MAX_MINUTES && oldest !== undefined) this.#minutes.delete(oldest)
    this.#timer ??= setTimeout(() => void this.flush(), MINUTE_MS).unref()
  }

  /** Writes what was counted. What cannot be written is kept for the next time. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const minutes = this.#minutes
    this.#minutes = new Map()
    for (const [minute, requests] of minutes) {
      try {
        await this.#database.callAside(this.#statement, [new Date(minute), requests])
      } catch {
        this.add(requests, minute)
      }
    }
  }
}
