/**
 * What the running program does for events: looks for new ones, and mails them.
 *
 * Owns: when, and what health is told. Not: what is due (the migration's `find_events`), mailing
 * (dispatch.ts).
 * Invariant: it works on connections beside admission's, and no request waits for it.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Database } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import type { Dispatch } from "./dispatch.ts"
import { mailOne } from "./dispatch.ts"

const SECOND_MS = 1_000
/** How often each is looked at. */
const TASKS = {
  quota: 5 * SECOND_MS,
  expiry: 600 * SECOND_MS,
  retention: 3_600 * SECOND_MS,
} as const

type Task = keyof typeof TASKS

const LOOK_MS = 5 * SECOND_MS
/** After one that failed: health says so until the next. */
const AGAIN_MS = SECOND_MS
/** A look that takes long is made less often: it has this part of the time at most. */
const SHARE = 0.05
/** Failures in a row after which the mail server is left alone until the next look. */
const MAX_FAILURES = 3
const MAILS_AT_ONCE = 100

export interface EventsJobOptions extends Dispatch {
  readonly database: Pick<Database, "callAside">
  readonly now: () => number
  /** Told when looking or mailing fails, once until it goes well again. */
  readonly failed: (what: "look" | "mail", error: unknown) => void
}

interface Probe {
  readonly state: "ok" | "degraded"
  readonly message: string
}

export class EventsJob {
  readonly #options: EventsJobOptions
  readonly #stop = new AbortController()
  readonly #due: Record<Task, number> = { quota: 0, expiry: 0, retention: 0 }
  #loop: Promise<void> = Promise.resolve()
  #lookFailedAt: number | undefined
  #mailFailedAt: number | undefined

  constructor(options: EventsJobOptions) {
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
  async probe(): Promise<Probe> {
    const time = (ms: number) => new Date(ms).toISOString()
    if (this.#lookFailedAt !== undefined) {
      return {
        state: "degraded",
        message: `Owners are not told of quotas and keys: looking failed at ${time(this.#lookFailedAt)}, and is tried again. The log has the cause.`,
      }
    }
    if (this.#mailFailedAt !== undefined) {
      return {
        state: "degraded",
        message: `Owners are not mailed: the mail server did not take a mail at ${time(this.#mailFailedAt)}. It is tried again; the log has the cause.`,
      }
    }
    return {
      state: "ok",
      message: this.#options.mailer.configured
        ? "owners are told by mail and at /v1/events"
        : "owners are told at /v1/events; mail is not set up",
    }
  }

  /** Looks for all that is due, but for what another instance is at; then mails. */
  async look(): Promise<void> {
    const { now, failed } = this.#options
    try {
      for (const task of Object.keys(TASKS) as Task[]) {
        if (this.#due[task] > performance.now()) continue
        const tookMs = await this.#find(task)
        this.#due[task] = performance.now() + Math.max(TASKS[task], tookMs / SHARE)
      }
      this.#lookFailedAt = undefined
    } catch (error) {
      if (this.#lookFailedAt === undefined) failed("look", error)
      this.#lookFailedAt = now()
      return
    }
    if (this.#options.mailer.configured) await this.#mail()
  }

  /** @returns How long it took, in milliseconds. */
  async #find(task: Task): Promise<number> {
    const started = performance.now()
    // Test keys use nothing up.
    for (const schema of task === "quota" ? [SCHEMAS.live] : Object.values(SCHEMAS)) {
      await this.#options.database.callAside(`select ${schema}.find_events($1)`, [task])
    }
    return performance.now() - started
  }

  async #mail(): Promise<void> {
    let failures = 0
    for (let mails = 0; mails < MAILS_AT_ONCE && !this.#stop.signal.aborted; mails++) {
      try {
        if (!(await mailOne(this.#options))) break
        this.#mailFailedAt = undefined
        failures = 0
      } catch (error) {
        if (this.#mailFailedAt === undefined) this.#options.failed("mail", error)
        this.#mailFailedAt = this.#options.now()
        failures++
        if (failures >= MAX_FAILURES) break
      }
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    for (;;) {
      const waitMs = this.#lookFailedAt === undefined ? LOOK_MS : AGAIN_MS
      await sleep(waitMs, undefined, { signal, ref: false })
      await this.look()
      signal.throwIfAborted()
    }
  }
}
