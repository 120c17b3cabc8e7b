/**
 * Backups and drills of a running server: when they are due, by one instance, recorded.
 *
 * Owns: the clock of it. Not: how one is made (take.ts, worker.ts), what its state means (status.ts).
 * Invariant: whatever fails here is recorded and logged; it stops no request and not the next try.
 */
import { basename, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Config } from "../config.ts"
import { Problem } from "../core/problem.ts"
import { codeOf } from "../core/thrown.ts"
import type { AdminDatabase } from "../db/database.ts"
import type { Backing } from "./backing.ts"
import { backupName, listBackups, pruneBackups } from "./folder.ts"
import type { LastRuns, Run, Task } from "./runs.ts"
import { lastRuns, recordRun, withTurn } from "./runs.ts"
import { removeScratch } from "./scratch.ts"
import type { Settings, Status } from "./status.ts"
import { dueInMs, intervalMs } from "./status.ts"
import { takeBackup } from "./take.ts"
import { drillInThread, makeInThread } from "./worker.ts"
import { checkFolder } from "./writer.ts"

export interface ScheduleOptions {
  readonly folder: string
  readonly config: Pick<Config, "dataDir" | "backupKeep" | "backupEveryHours" | "backupDrillDays">
  /** Read anew each time: secrets rotate. */
  readonly backing: () => Promise<Backing>
  readonly admin: AdminDatabase
  readonly now: () => number
  /** What does it; threads by default. */
  readonly workers?: Workers
  /** Told of each run that failed, and of looks that did (`undefined`). */
  readonly failed: (task: Task | undefined, error: unknown) => void
}

export interface Workers {
  readonly make: typeof makeInThread
  readonly drill: typeof drillInThread
}

const THREADS: Workers = { make: makeInThread, drill: drillInThread }

const FIRST_LOOK_MS = 5_000
/** Other instances make backups too, and health tells of those. */
const LOOK_MS = 300_000
const MIN_WAIT_MS = 30_000
const TASKS = ["backup", "drill"] as const
const NONE: LastRuns = { last: undefined, lastGood: undefined }

type Done = Pick<Run, "bytes" | "rows">

export class Schedule {
  readonly settings: Settings
  readonly #options: ScheduleOptions
  readonly #stop = new AbortController()
  readonly #since: Date
  #runs: Record<Task, LastRuns> = { backup: NONE, drill: NONE }
  #loop: Promise<void> = Promise.resolve()

  /** @throws Problem `BACKUP` where the folder cannot be written. */
  static async open(options: ScheduleOptions): Promise<Schedule> {
    await checkFolder(options.folder)
    return new Schedule(options)
  }

  private constructor(options: ScheduleOptions) {
    const { backupEveryHours: everyHours, backupDrillDays: drillDays } = options.config
    this.#options = options
    this.#since = new Date(options.now())
    this.settings = { everyHours, drillDays }
  }

  get status(): Status {
    return { since: this.#since, runs: this.#runs }
  }

  start(): void {
    this.#loop = this.#run().catch(() => {}) // only being stopped ends it
  }

  /** Cuts off what is under way; nothing of it stays. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    await sleep(FIRST_LOOK_MS, undefined, { signal, ref: false })
    await removeScratch(this.#options.config.dataDir, "drill").catch(() => {}) // its user is at work
    for (;;) {
      const waitMs = await this.look().catch((error) => {
        if (!signal.aborted) this.#options.failed(undefined, error)
        return LOOK_MS
      })
      signal.throwIfAborted()
      await sleep(Math.max(MIN_WAIT_MS, Math.min(waitMs, LOOK_MS)), undefined, {
        signal,
        ref: false,
      })
    }
  }

  /** Does what is due. @returns Milliseconds until something is. */
  async look(): Promise<number> {
    let next = Number.POSITIVE_INFINITY
    for (const task of TASKS) {
      const interval = intervalMs(this.settings, task)
      const { admin } = this.#options
      this.#runs[task] = await admin.asOperator((tx) => lastRuns(tx, task))
      if (this.#dueInMs(task, interval) <= 0) {
        await this.#take(task, interval)
        this.#runs[task] = await admin.asOperator((tx) => lastRuns(tx, task))
      }
      next = Math.min(next, this.#dueInMs(task, interval))
    }
    return next
  }

  #dueInMs(task: Task, interval: number): number {
    return dueInMs(this.#runs[task], interval, new Date(this.#options.now()))
  }

  async #take(task: Task, interval: number): Promise<void> {
    const { admin, now, failed } = this.#options
    await withTurn(admin, task, false, async (tx) => {
      const startedAt = new Date(now())
      // Another instance may have had the turn a moment ago.
      if (dueInMs(await lastRuns(tx, task), interval, startedAt) > 0) return
      const file = await this.#fileOf(task, startedAt)
      if (file === undefined) return
      const run = { kind: task, startedAt, file: basename(file) }
      try {
        const done = task === "backup" ? await this.#backup(file) : await this.#drill(file)
        await recordRun(tx, { ...run, ...done, error: undefined })
      } catch (error) {
        this.#stop.signal.throwIfAborted()
        failed(task, error)
        await recordRun(tx, { ...run, bytes: 0, rows: 0, error: reasonOf(error) })
      }
    })
  }

  /** @returns The backup to make, or the newest for a drill; undefined where there is none. */
  async #fileOf(task: Task, at: Date): Promise<string | undefined> {
    const { folder } = this.#options
    if (task === "backup") return join(folder, backupName(at))
    const [newest] = await listBackups(folder).catch(() => [])
    return newest === undefined ? undefined : join(folder, newest)
  }

  async #backup(file: string): Promise<Done> {
    const { admin, config, folder, now, backing, workers = THREADS } = this.#options
    const made = await takeBackup({
      admin,
      backing: await backing(),
      file,
      actor: "program",
      signal: this.#stop.signal,
      make: workers.make,
    })
    await pruneBackups(folder, config.backupKeep, new Date(now()))
    return made
  }

  async #drill(file: string): Promise<Done> {
    const { identity } = await this.#options.backing()
    const { config, workers = THREADS } = this.#options
    const { dataDir } = config
    const options = { dataDir, identity, file, actor: "drill" }
    return { bytes: 0, rows: await workers.drill(options, this.#stop.signal) }
  }
}

/** @returns Words without anything of a row: what is not a Problem may quote one. */
export function reasonOf(error: unknown): string {
  if (error instanceof Problem) return error.message
  return `Something unexpected went wrong (${codeOf(error) ?? "no code"}).`
}
