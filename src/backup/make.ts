/**
 * Makes a backup: one read-only snapshot of the database as `zt_backup`, with the secrets that its
 * rows are sealed with, in one encrypted and signed file.
 *
 * Not: recording it in the audit log, which whoever calls this has done before.
 * Invariant: every table's rows are counted in the same snapshot by another role, since a COPY
 * under row security is short without a word. Memory does not grow with the data.
 */
import type pg from "pg"
import { Problem } from "../core/problem.ts"
import { VERSION } from "../core/version.ts"
import { runStatement } from "../db/connection.ts"
import type { Backing, Source } from "./backing.ts"
import type { Table } from "./catalog.ts"
import { COPY_SETTINGS, isSeeds, listSequences, listTables, quoted } from "./catalog.ts"
import { withCopyClient } from "./connection.ts"
import { copyOut } from "./copy.ts"
import type { Header, Sequences } from "./frames.ts"
import { signerOf } from "./signature.ts"
import type { BackupWriter, Keys } from "./writer.ts"
import { writeBackup } from "./writer.ts"

export interface MakeOptions {
  readonly backing: Backing
  readonly file: string
  readonly signal: AbortSignal
  /** Told after each piece. */
  readonly progress?: (progress: Progress) => void
}

export interface Progress {
  /** What is read now: `live.usage`. */
  readonly part: string
  readonly tables: number
  readonly ofTables: number
  readonly bytes: number
  /** Roughly. */
  readonly ofBytes: number
}

export interface Made {
  readonly file: string
  readonly bytes: number
  readonly tables: number
  readonly rows: number
  /** When the snapshot was taken. */
  readonly at: string
  /** Whose it is (signature.ts). */
  readonly deployment: string
}

/** @throws Problem `BACKUP`, `DATABASE` or `UNAVAILABLE`; no file is left then. */
export async function makeBackup(options: MakeOptions): Promise<Made> {
  const { backing, file } = options
  const keys = keysOf(backing)
  return writeBackup(file, keys, (writer) =>
    inSnapshot(backing.source, "backup", async (snapshot) => {
      await writer.header(snapshot.header)
      await writer.secrets(backing.secrets)
      const tables = (await listTables(snapshot.reader)).filter((table) => !isSeeds(table))
      // Until the snapshot ends, so that no partition is dropped before its turn.
      await snapshot.reader.query(`lock table ${tables.map(quoted)} in access share mode`)
      await writeTables(writer, snapshot, tables, options)
      await writer.sequences(await readSequences(snapshot.reader))
      await writer.end()
      const { bytes, rows, tables: count } = writer
      const { deployment } = keys.signer
      return { file, bytes, rows, tables: count, at: snapshot.header.at, deployment }
    }),
  )
}

/** Writes tenants' seeds to a file, in place of the one that is there. @returns How many they are. */
export async function writeSeeds(
  backing: Backing,
  file: string,
  signal: AbortSignal,
): Promise<number> {
  return writeBackup(file, keysOf(backing), (writer) =>
    inSnapshot(backing.source, "tenant-keys", async (snapshot) => {
      await writer.header(snapshot.header)
      const tables = (await listTables(snapshot.reader)).filter(isSeeds)
      await writeTables(writer, snapshot, tables, { signal })
      await writer.end()
      return writer.rows
    }),
  )
}

function keysOf({ identity, recipients }: Backing): Keys {
  return { signer: signerOf(identity), recipients }
}

async function writeTables(
  writer: BackupWriter,
  { reader, counter }: Snapshot,
  tables: readonly Table[],
  { signal, progress }: Pick<MakeOptions, "signal" | "progress">,
): Promise<void> {
  const ofBytes = tables.reduce((sum, { bytes }) => sum + bytes, 0)
  let done = 0
  for (const [index, table] of tables.entries()) {
    const { schema, name, columns } = table
    const part = `${schema}.${name}`
    let bytes = 0
    await writer.table({ schema, name, columns: [...columns] })
    const [end, counted] = await Promise.all([
      copyOut(reader, table, async (piece) => {
        signal.throwIfAborted()
        await writer.data(piece)
        bytes += piece.length
        const read = done + Math.min(bytes, table.bytes)
        progress?.({ part, tables: index, ofTables: tables.length, bytes: read, ofBytes })
      }),
      countRows(counter, table),
    ])
    if (end.rows !== counted) {
      throw new Problem("BACKUP", {
        message: `${part} has ${counted} rows, and zt_backup reads ${end.rows} of them: its row security lacks the policy for backups. No backup was made.`,
      })
    }
    await writer.tableEnd(end)
    done += table.bytes
  }
}

interface Snapshot {
  readonly header: Omit<Header, "format" | "deployment">
  readonly reader: pg.Client
  /** Another role's session on the same snapshot. */
  readonly counter: pg.Client
}

async function inSnapshot<T>(
  { address, reader, counter }: Source,
  kind: Header["kind"],
  work: (snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  return withCopyClient(address, reader, (client) =>
    withCopyClient(address, counter, async (other) => {
      await client.query(`begin isolation level repeatable read, read only; ${COPY_SETTINGS}`)
      const [row] = (await runStatement<SnapshotRow>(client, SNAPSHOT)).rows
      if (row === undefined) throw new Error("no snapshot")
      await other.query(`begin isolation level repeatable read, read only; ${COPY_SETTINGS};
        set transaction snapshot '${row.id}'`)
      const migrations = await runStatement<Header["migrations"][number]>(
        client,
        "select number, name, sha256 from platform.migration order by number",
      )
      const { at, postgres } = row
      return work({
        header: { kind, program: VERSION, postgres, at, migrations: migrations.rows },
        reader: client,
        counter: other,
      })
    }),
  )
}

interface SnapshotRow {
  readonly id: string
  readonly at: string
  readonly postgres: string
}

const SNAPSHOT = `select pg_export_snapshot() as id,
  to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at,
  split_part(current_setting('server_version'), ' ', 1) as postgres`

async function countRows(client: pg.Client, table: Table): Promise<number> {
  const { rows } = await runStatement<{ count: string }>(
    client,
    `select count(*) from only ${quoted(table)}`,
  )
  return Number(rows[0]?.count)
}

async function readSequences(client: pg.Client): Promise<Sequences> {
  const sequences: Sequences = []
  for (const { schema, name } of await listSequences(client)) {
    const { rows } = await runStatement<{ value: string; called: boolean }>(
      client,
      `select last_value::text as value, is_called as called from ${quoted({ schema, name })}`,
    )
    for (const row of rows) sequences.push({ schema, name, ...row })
  }
  return sequences
}
