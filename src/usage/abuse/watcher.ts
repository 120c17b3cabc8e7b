/**
 * Detectors in a running server: when they look, and what health and the log are told.
 *
 * Owns: the clock of it. Not: what is looked at (look.ts).
 * Invariants: of several instances one looks at a time, as often as one alone would; each call is a
 * short statement on a connection beside admission's. What fails is tried again the next time, and
 * nothing is counted twice for it.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Database, Environment } from "../../db/database.ts"
import { SCHEMAS } from "../../db/database.ts"
import { Look } from "./look.ts"

/** Of usage rows that one statement adds up, at most; less while that takes too long. */
const STEP_SECONDS = 21_600
const MIN_STEP_SECONDS = 60
/** Of one look, where it has to catch up. */
const MAX_STEPS = 200
const REST_MS = 10
/** Without a look for so many intervals, health says so. */
const LATE_LOOKS = 10

const ENVIRONMENTS = ["live", "test"] as const

export interface WatcherOptions {
  readonly database: Pick<Database, "callAside">
  readonly now: () => number
  readonly everySeconds: number
  /** Whether keys are held to a rate where a rule says so. */
  readonly throttle: boolean
  /** Told of each new finding, by its UUID. */
  readonly found: (id: string, environment: Environment) => void
  /** Told of each look that failed. */
  readonly failed: (error: unknown) => void
}

interface State {
  readonly looked_at: Date | null
  readonly suspicious: boolean
}

export class Watcher {
  readonly #options: WatcherOptions
  readonly #looks: Readonly<Record<Environment, Look>>
  readonly #stop = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  #stepSeconds = STEP_SECONDS
  #failedAt: Date | undefined
  #state: State = { looked_at: null, suspicious: false }
  readonly #since: number

  constructor(options: WatcherOptions) {
    this.#options = options
    this.#since = options.now()
    this.#looks = {
      live: new Look({ ...options, environment: "live" }),
      test: new Look({ ...options, environment: "test" }),
    }
  }

  start(): void {
    this.#loop = this.#run().catch(() => {}) // only being stopped ends it
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#loop
  }

  /** For `/v1/health`, which is open: whether anything was found, never what or whose. Asks nobody. */
  async probe(): Promise<{ readonly state: "ok" | "degraded"; readonly message: string }> {
    const { now, everySeconds } = this.#options
    const { looked_at, suspicious } = this.#state
    const late = (looked_at?.getTime() ?? this.#since) < now() - LATE_LOOKS * everySeconds * 1000
    if (this.#failedAt !== undefined || late) {
      const since = this.#failedAt ?? looked_at ?? new Date(this.#since)
      return {
        state: "degraded",
        message: `Nobody looks for abuse since ${since.toISOString()}: that failed, and is tried again every ${everySeconds} seconds. The log has the cause.`,
      }
    }
    return {
      state: "ok",
      message: suspicious
        ? "something suspicious was seen in the last day: bin/zygentrust abuse list"
        : `nothing suspicious in the last day; looked for every ${everySeconds} seconds`,
    }
  }

  /** Looks where it is this instance's turn. @returns How many new findings there are. */
  async look(): Promise<number> {
    const { database, found, failed, everySeconds, now } = this.#options
    let fresh = 0
    try {
      for (const environment of ENVIRONMENTS) {
        if (!(await this.#count(environment, everySeconds))) continue
        await database.callAside(`select ${SCHEMAS[environment]}.tend_watch()`)
        for (const id of await this.#looks[environment].look()) {
          fresh++
          found(id, environment)
        }
      }
      const states = await Promise.all(
        ENVIRONMENTS.map((environment) =>
          database.callAside<State>(`select * from ${SCHEMAS[environment]}.watch_state()`),
        ),
      )
      const [live] = states[0] ?? []
      this.#state = {
        looked_at: live?.looked_at ?? null,
        suspicious: states.flat().some(({ suspicious }) => suspicious),
      }
      this.#failedAt = undefined
    } catch (error) {
      this.#failedAt ??= new Date(now())
      failed(error)
    }
    return fresh
  }

  /** Adds up usage rows until now. @returns False where another instance looks. */
  async #count(environment: Environment, everySeconds: number): Promise<boolean> {
    const { database } = this.#options
    const statement = `select ${SCHEMAS[environment]}.watch($1, $2) as more`
    for (let step = 0; step < MAX_STEPS && !this.#stop.signal.aborted; step++) {
      const values = [step === 0 ? everySeconds : 0, this.#stepSeconds]
      const [row] = await database
        .callAside<{ more: boolean | null }>(statement, values)
        .catch((error) => {
          this.#stepSeconds = Math.max(MIN_STEP_SECONDS, this.#stepSeconds / 4)
          throw error
        })
      if (typeof row?.more !== "boolean") return step > 0
      if (!row.more) return true
      await sleep(REST_MS)
    }
    return true
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    for (;;) {
      await sleep(this.#options.everySeconds * 1000, undefined, { signal, ref: false })
      await this.look()
      signal.throwIfAborted()
    }
  }
}
