/**
 * Retention: what is kept no longer is deleted, by the running server, a few rows at a time.
 *
 * Owns: when, how much at once, and what health is told. Not: what is due (its migration's `retain`).
 * Invariants: of several instances one at a time does a task; each call is one short statement on a
 * connection beside admission's, so no request waits for it.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Database } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"

/** Unknown keys' counts are kept for 30 days, batches' ids and idle rates for an hour. */
const TASKS = ["usage", "analysis", "batch", "rate", "unknown_key"] as const
const PLATFORM_TASKS = ["key_request"] as const

const FIRST_LOOK_MS = 60_000
const LOOK_MS = 300_000
const ROWS_AT_ONCE = 1_000
/** Between two statements of a task: it may take long, and shares the disk. */
const REST_MS = 20

export interface MaintenanceOptions {
  readonly database: Pick<Database, "callAside">
  readonly now: () => number
  /** Told of each look that failed. */
  readonly failed: (error: unknown) => void
  readonly rowsAtOnce?: number
}

export class Maintenance {
  readonly #options: MaintenanceOptions
  readonly #stop = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  #doneAt: Date | undefined
  #failedAt: Date | undefined

  constructor(options: MaintenanceOptions) {
    this.#options = options
  }

  start(): void {
    this.#loop = this.#run().catch(() => {}) // only being stopped ends it
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#loop
  }

  /** For `/v1/health`; asks nobody. */
  async probe(): Promise<{ readonly state: "ok" | "degraded"; readonly message: string }> {
    if (this.#failedAt !== undefined) {
      return {
        state: "degraded",
        message: `Expired data is not deleted: that failed at ${this.#failedAt.toISOString()}, and is tried again every 5 minutes. The log has the cause.`,
      }
    }
    const message =
      this.#doneAt === undefined
        ? "expired data is deleted soon after the start, and every 5 minutes"
        : `expired data was deleted at ${this.#doneAt.toISOString()}`
    return { state: "ok", message }
  }

  /** Deletes all that is due, but for what another instance is at. @returns Rows. */
  async look(): Promise<number> {
    const { database, now, failed, rowsAtOnce = ROWS_AT_ONCE } = this.#options
    let removed = 0
    try {
      for (const schema of [...Object.values(SCHEMAS), "platform"]) {
        for (const task of schema === "platform" ? PLATFORM_TASKS : TASKS) {
          for (let rows = rowsAtOnce; rows >= rowsAtOnce && !this.#stop.signal.aborted; ) {
            const [row] = await database.callAside<{ rows: number | null }>(
              `select ${schema}.retain($1, $2) as rows`,
              [task, rowsAtOnce],
            )
            rows = row?.rows ?? 0
            removed += rows
            if (rows >= rowsAtOnce) await sleep(REST_MS)
          }
        }
      }
      this.#doneAt = new Date(now())
      this.#failedAt = undefined
    } catch (error) {
      this.#failedAt = new Date(now())
      failed(error)
    }
    return removed
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    for (let waitMs = FIRST_LOOK_MS; ; waitMs = LOOK_MS) {
      await sleep(waitMs, undefined, { signal, ref: false })
      await this.look()
      signal.throwIfAborted()
    }
  }
}
