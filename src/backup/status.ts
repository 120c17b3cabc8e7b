/** How backups are, for health and doctor: pure. */
import type { LastRuns, Run, Task } from "./runs.ts"

export interface Settings {
  readonly everyHours: number
  /** 0: no drills. */
  readonly drillDays: number
}

export interface Status {
  /** When backups were set up here, as far as this program knows: its own start. */
  readonly since: Date
  readonly runs: Readonly<Record<Task, LastRuns>>
}

export interface Judged {
  readonly state: "ok" | "degraded"
  readonly message: string
}

const HOUR_MS = 3_600_000
/** A failed one is tried again after this, or after its interval where that is shorter. */
const RETRY_MS = HOUR_MS

export const NOT_SET_UP: Judged = {
  state: "ok",
  message:
    "not set up: this server makes no backups. Set ZT_BACKUP_DIR to a folder on another disk, or run 'zygentrust backup' by other means.",
}

/** @returns The interval of a task in milliseconds; Infinity where it is never done. */
export function intervalMs({ everyHours, drillDays }: Settings, task: Task): number {
  if (task === "backup") return everyHours * HOUR_MS
  return drillDays === 0 ? Number.POSITIVE_INFINITY : drillDays * 24 * HOUR_MS
}

/** @returns Milliseconds until a task is due; 0 or less: now. */
export function dueInMs({ last }: LastRuns, interval: number, now: Date): number {
  if (interval === Number.POSITIVE_INFINITY) return interval
  if (last === undefined) return 0
  const wait = last.error === undefined ? interval : Math.min(interval, RETRY_MS)
  return last.startedAt.getTime() + wait - now.getTime()
}

export function judgeBackups({ runs, since }: Status, settings: Settings, now: Date): Judged {
  const tasks: readonly Task[] = settings.drillDays === 0 ? ["backup"] : ["backup", "drill"]
  const found = tasks.map((task) => judge(task, runs[task], since, intervalMs(settings, task), now))
  const wrong = found.filter(({ state }) => state !== "ok")
  return {
    state: wrong.length > 0 ? "degraded" : "ok",
    message: (wrong.length > 0 ? wrong : found).map(({ message }) => message).join("; "),
  }
}

const WORDS = {
  backup: { noun: "backup", done: "made", remedy: "'zygentrust backup' says why" },
  drill: {
    noun: "restore drill",
    done: "done",
    remedy: "'zygentrust backup verify FILE' says why",
  },
} as const

function judge(
  task: Task,
  { last, lastGood }: LastRuns,
  since: Date,
  interval: number,
  now: Date,
): Judged {
  const { noun, done, remedy } = WORDS[task]
  if (last?.error !== undefined) {
    return {
      state: "degraded",
      message: `The last ${noun} failed (${time(last.startedAt)}): the log and ${remedy}.`,
    }
  }
  const from = lastGood?.startedAt ?? since
  if (now.getTime() - from.getTime() > 2 * interval) {
    const age = lastGood === undefined ? "There is no good one" : `The last is of ${time(from)}`
    return { state: "degraded", message: `No ${noun} was ${done} when it was due. ${age}.` }
  }
  if (lastGood === undefined) return { state: "ok", message: `no ${noun} yet` }
  return { state: "ok", message: `last ${noun} ${time(lastGood.startedAt)}${size(lastGood)}` }
}

function time(at: Date): string {
  return `${at.toISOString().slice(0, 16)}Z`
}

function size({ kind, bytes, rows }: Run): string {
  const mebibytes = (bytes / 1_048_576).toFixed(bytes < 10_485_760 ? 2 : 0)
  return kind === "backup" ? `, ${mebibytes} MiB, ${rows} rows` : ""
}
