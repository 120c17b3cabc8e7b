/**
 * What the running server does beside requests: usage's partitions of days to come, hours and days
 * added up, and what is kept no longer deleted, a few rows at a time.
 *
 * Owns: when, how much at once, and what health is told. Not: what is due (the database's functions).
 * Invariants: of several instances one at a time does a task; each call is one short statement on a
 * connection beside admission's, so no request waits for it. A task that fails stops no other.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Database } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import { sqlState } from "../db/errors.ts"
import { DAYS_AHEAD, ENOUGH_DAYS_AHEAD, READ_DAYS_AHEAD, tooFewAhead } from "./partitions.ts"

/**
 * Kept: hours of usage for 35 days, unknown keys' counts for 30, batches' ids for 90 minutes, idle rates for
 * an hour.
 */
const TASKS = ["usage", "usage_hour", "analysis", "batch", "rate", "unknown_key"] as const
const PLATFORM_TASKS = ["key_request"] as const

const FIRST_LOOK_MS = 60_000
const LOOK_MS = 300_000
const ROWS_AT_ONCE = 1_000
/** Between two statements of a task: it may take long, and shares the disk. */
const REST_MS = 20
/** A day's partition that somebody reads is dropped later; whoever reads so long has forgotten it. */
const HELD_MS = 86_400_000
const LOCK_NOT_AVAILABLE = "55P03"

export interface MaintenanceOptions {
  readonly database: Pick<Database, "callAside">
  readonly now: () => number
  /** Told of each look in which something failed, with what failed first. */
  readonly failed: (error: unknown) => void
  readonly rowsAtOnce?: number
}

export class Maintenance {
  readonly #options: MaintenanceOptions
  readonly #stop = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  #doneAt: Date | undefined
  #failedAt: Date | undefined
  #failed = false
  #daysAhead: number | undefined
  /** By schema, since when a reader keeps a day from being dropped. */
  readonly #heldSince = new Map<string, Date>()

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
    const degraded = (message: string) => ({ state: "degraded" as const, message })
    const tooFew = this.#daysAhead === undefined ? undefined : tooFewAhead(this.#daysAhead)
    if (tooFew !== undefined) {
      return degraded(`${tooFew} Making them is tried every 5 minutes. The log has the cause.`)
    }
    if (this.#failedAt !== undefined) {
      return degraded(
        `Maintenance failed at ${this.#failedAt.toISOString()}, and is tried again every 5 minutes; until then expired data may stay. The log has the cause.`,
      )
    }
    const held = [...this.#heldSince.values()].sort((a, b) => a.getTime() - b.getTime())[0]
    if (held !== undefined && this.#options.now() - held.getTime() > HELD_MS) {
      return degraded(
        `Usage rows that are kept no longer cannot be dropped since ${held.toISOString()}: a session of the database reads them. End it; pg_stat_activity shows which is oldest.`,
      )
    }
    const message =
      this.#doneAt === undefined
        ? "expired data is deleted soon after the start, and every 5 minutes"
        : `expired data was deleted at ${this.#doneAt.toISOString()}`
    return { state: "ok", message }
  }

  /** Before the first request: a place for its usage row. What fails is told, and tried again. */
  async extend(days: number = ENOUGH_DAYS_AHEAD): Promise<void> {
    for (const schema of Object.values(SCHEMAS)) {
      await this.#try(() => this.#call(`select ${schema}.extend_usage($1)`, [days]))
    }
    await this.#try(async () => {
      this.#daysAhead = (await this.#call<{ days: number }>(READ_DAYS_AHEAD))?.days
    })
  }

  /** Does all that is due, but for what another instance is at. @returns Rows deleted, about. */
  async look(): Promise<number> {
    const { now, rowsAtOnce = ROWS_AT_ONCE } = this.#options
    let removed = 0
    this.#failed = false
    await this.extend(DAYS_AHEAD)
    const retain = async (schema: string, tasks: readonly string[]) => {
      for (const task of tasks) {
        await this.#try(async () => {
          for (let rows = rowsAtOnce; rows >= rowsAtOnce && !this.#stop.signal.aborted; ) {
            const row = await this.#call<{ rows: number | null }>(
              `select ${schema}.retain($1, $2) as rows`,
              [task, rowsAtOnce],
            )
            rows = row?.rows ?? 0
            removed += rows
            if (rows >= rowsAtOnce) await sleep(REST_MS)
          }
        })
      }
    }
    for (const schema of Object.values(SCHEMAS)) {
      await this.#try(() => this.#untilNone(`select ${schema}.roll_up_usage() as done`))
      await this.#try(() => this.#call(`select ${schema}.note_last_use()`))
      await this.#try(() => this.#drop(schema))
      await retain(schema, TASKS)
    }
    await retain("platform", PLATFORM_TASKS)
    if (!this.#failed) {
      this.#doneAt = new Date(now())
      this.#failedAt = undefined
    }
    return removed
  }

  /** Days that nobody's plan keeps go whole. */
  async #drop(schema: string): Promise<void> {
    try {
      await this.#untilNone(`select ${schema}.drop_expired_usage() as done`)
      this.#heldSince.delete(schema)
    } catch (error) {
      if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error
      const since = this.#heldSince.get(schema) ?? new Date(this.#options.now())
      this.#heldSince.set(schema, since)
    }
  }

  /** @param text - Selects `done`, which is null or 0 when there is no more. */
  async #untilNone(text: string): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const row = await this.#call<{ done: unknown }>(text)
      if (!row?.done) return
      await sleep(REST_MS)
    }
  }

  async #call<Row extends object>(text: string, values?: readonly unknown[]) {
    const [row] = await this.#options.database.callAside<Row>(text, values)
    return row
  }

  async #try(work: () => Promise<unknown>): Promise<void> {
    if (this.#stop.signal.aborted) return
    try {
      await work()
    } catch (error) {
      if (!this.#failed) this.#options.failed(error)
      this.#failed = true
      this.#failedAt = new Date(this.#options.now())
    }
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
