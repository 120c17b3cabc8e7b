/**
 * What is known of backups and drills in the database, and whose turn one is.
 *
 * Owns: the rows of platform.backup_run and backup_turn. Invariant: a turn is a row's lock, so it ends
 * with its holder, however that ends.
 */
import { newUuid } from "../core/ids.ts"
import type { AdminDatabase, Tx } from "../db/database.ts"

export type Task = "backup" | "drill"

export interface Run {
  readonly kind: Task
  readonly startedAt: Date
  readonly finishedAt: Date
  /** Its name, without a folder. */
  readonly file: string
  readonly bytes: number
  readonly rows: number
  /** Why it failed. */
  readonly error: string | undefined
}

export interface LastRuns {
  readonly last: Run | undefined
  readonly lastGood: Run | undefined
}

const MAX_ERROR = 500

/**
 * Does what one instance at a time may do.
 * @param wait - Wait for the turn; else `undefined` is returned when another has it.
 */
export function withTurn<T>(
  admin: AdminDatabase,
  task: Task | "tenant_keys",
  wait: boolean,
  work: (tx: Tx) => Promise<T>,
): Promise<T | undefined> {
  return admin.asOperator(async (tx) => {
    await tx.query("set local idle_in_transaction_session_timeout = 0") // it may take hours
    const held = await tx.query(
      `select from platform.backup_turn where task = $1 for update ${wait ? "" : "skip locked"}`,
      [task],
    )
    return held.length === 0 ? undefined : work(tx)
  })
}

export async function recordRun(tx: Tx, run: Omit<Run, "finishedAt">): Promise<void> {
  const error = run.error?.slice(0, MAX_ERROR) ?? null
  await tx.query(
    `insert into platform.backup_run (id, kind, started_at, file, bytes, row_count, error)
      values ($1, $2, $3, $4, $5, $6, $7)`,
    [newUuid(), run.kind, run.startedAt, run.file, run.bytes, run.rows, error],
  )
}

export async function lastRuns(tx: Tx, kind: Task): Promise<LastRuns> {
  const newest = async (condition: string) => {
    const [row] = await tx.query<RunRow>(
      `select kind, started_at, finished_at, file, bytes, row_count, error from platform.backup_run
        where kind = $1 ${condition} order by started_at desc limit 1`,
      [kind],
    )
    return row === undefined ? undefined : runOf(row)
  }
  return { last: await newest(""), lastGood: await newest("and error is null") }
}

interface RunRow {
  readonly kind: Task
  readonly started_at: Date
  readonly finished_at: Date
  readonly file: string
  readonly bytes: string | null
  readonly row_count: string | null
  readonly error: string | null
}

function runOf(row: RunRow): Run {
  return {
    kind: row.kind,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    file: row.file,
    bytes: Number(row.bytes ?? 0),
    rows: Number(row.row_count ?? 0),
    error: row.error ?? undefined,
  }
}
