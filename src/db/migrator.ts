/**
 * Numbered SQL migrations, `migrations/NNNN_name.sql`, each applied once and recorded with its
 * hash. Run as `zt_migrate`.
 *
 * Owns: order, record, refusals. Invariant: one transaction a migration, with its record; one
 * migrator at a time.
 *
 * A first line `-- no transaction` marks the kind that cannot be in one (CREATE INDEX
 * CONCURRENTLY). It is recorded afterwards, so it must be able to run again; each of its
 * statements ends with `;` at the end of a line.
 */
import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type pg from "pg"
import { newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import { messageOf } from "../core/thrown.ts"
import { runStatement } from "./connection.ts"

export interface Migration {
  readonly number: number
  /** The file's name without `.sql`. */
  readonly name: string
  /** Of the file, hex. */
  readonly sha256: string
  readonly sql: string
}

interface Applied {
  readonly number: number
  readonly name: string
  readonly sha256: string
}

/** Any number that nobody else takes: "zt". */
const LOCK = 0x7a74
const LOCK_RETRY_MS = 100
const NO_TRANSACTION = /^-- no transaction\b/

/** @returns All migrations in order. @throws TypeError for a file that is named otherwise. */
export async function loadMigrations(
  folder: string = join(import.meta.dirname, "migrations"),
): Promise<Migration[]> {
  const files = (await readdir(folder)).sort()
  return Promise.all(
    files.map(async (file, index) => {
      const match = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(file)
      if (match === null || Number(match[1]) !== index + 1) {
        throw new TypeError(`${file} should be ${String(index + 1).padStart(4, "0")}_name.sql`)
      }
      const sql = await readFile(join(folder, file), "utf8")
      const sha256 = createHash("sha256").update(sql).digest("hex")
      return { number: index + 1, name: file.slice(0, -4), sha256, sql }
    }),
  )
}

/**
 * @returns The migrations that a database lacks.
 * @throws Problem `DATABASE`: it is newer than this program, or one of its migrations is not the
 *   one that lies here.
 */
export async function pendingMigrations(
  client: pg.ClientBase,
  migrations: readonly Migration[],
): Promise<readonly Migration[]> {
  const [table] = (
    await runStatement<{ exists: boolean }>(
      client,
      "select to_regclass('platform.migration') is not null as exists",
    )
  ).rows
  if (table?.exists !== true) return migrations
  const { rows: applied } = await runStatement<Applied>(
    client,
    "select number, name, sha256 from platform.migration order by number",
  )
  for (const [index, { name, sha256 }] of applied.entries()) {
    const here = migrations[index]
    if (here === undefined) {
      throw new Problem("DATABASE", {
        message: `The database was migrated by a newer release (${name}): start that one. Nothing was changed.`,
      })
    }
    if (here.name !== name || here.sha256 !== sha256) {
      throw new Problem("DATABASE", {
        message: `Migration ${name} was applied to the database, and ${here.name} is not the same file any more. Put the released file back; a change is a new migration. Nothing was changed.`,
      })
    }
  }
  return migrations.slice(applied.length)
}

/**
 * Brings a database up to date. Several may try at once: one does, the others wait.
 * @param client - Logged in as zt_migrate, not by a pooler in transaction mode.
 * @returns Names of the migrations that were applied now.
 * @throws Problem `DATABASE`, also when a migration fails; those before it stay.
 */
export async function migrate(
  client: pg.Client,
  migrations: readonly Migration[],
): Promise<string[]> {
  if ((await pendingMigrations(client, migrations)).length === 0) return []
  // Polled: one who waits within a statement holds a snapshot, which stops CREATE INDEX CONCURRENTLY.
  while (!(await tryLock(client))) await sleep(LOCK_RETRY_MS)
  const done: string[] = []
  for (const migration of await pendingMigrations(client, migrations)) {
    try {
      await apply(client, migration)
    } catch (cause) {
      throw new Problem("DATABASE", {
        message: `Migration ${migration.name} failed: ${messageOf(cause)}. The database is as it was before it; run 'bin/zygentrust migrate' again.`,
        cause,
      })
    }
    done.push(migration.name)
  }
  await runStatement(client, "select pg_advisory_unlock($1)", [LOCK])
  return done
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await runStatement<{ locked: boolean }>(
    client,
    "select pg_try_advisory_lock($1) as locked",
    [LOCK],
  )
  return rows[0]?.locked === true
}

async function apply(client: pg.Client, { number, name, sha256, sql }: Migration): Promise<void> {
  if (NO_TRANSACTION.test(sql)) {
    for (const statement of sql.split(/;[ \t]*$/m)) {
      if (statement.trim() !== "") await client.query(statement)
    }
    await client.query("begin")
  } else {
    await client.query(`begin; ${sql}`)
  }
  await runStatement(
    client,
    "insert into platform.migration (number, name, sha256) values ($1, $2, $3)",
    [number, name, sha256],
  )
  await record(client, "database.migrated", name)
  await client.query("commit")
}

/** Writes an entry of the audit log (audit/append.ts), once a database has one. */
export async function record(
  client: pg.Client,
  action: "database.migrated" | "database.bootstrapped",
  subject: string,
): Promise<void> {
  const { rows } = await runStatement<{ exists: boolean }>(
    client,
    "select to_regprocedure('audit.append(uuid,text,text,uuid,text,jsonb)') is not null as exists",
  )
  if (rows[0]?.exists !== true) return
  const values = [newUuid(), "program", action, null, subject, {}]
  await runStatement(client, "select audit.append($1, $2, $3, $4, $5, $6)", values)
}
