/**
 * Loads a backup into an empty database: tables, rows, seeds and sequences in one transaction.
 *
 * Invariant: it commits only when the file was read to its end, and every table, read out again,
 * is byte for byte what was backed up. Row security is off while rows come in (COPY refuses it) and
 * as the migrations made it before the commit.
 */
import type pg from "pg"
import { encodeId, newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import { messageOf } from "../core/thrown.ts"
import { runStatement } from "../db/connection.ts"
import { SCHEMAS } from "../db/database.ts"
import { DISK_FULL, sqlState } from "../db/errors.ts"
import type { Migration } from "../db/migrator.ts"
import { Keyring } from "../secrets/keyring.ts"
import type { SecretStore } from "../secrets/store.ts"
import { COPY_SETTINGS, listTables, quoted, SEEDS } from "./catalog.ts"
import { copyIn, copyOut } from "./copy.ts"
import type { Header, TableEnd, TableStart } from "./frames.ts"
import type { BackupFile, Contents, TableVisitor } from "./reader.ts"
import { readBackup } from "./reader.ts"
import { restoreSecrets } from "./secrets.ts"

export interface LoadOptions {
  readonly backup: BackupFile
  readonly seeds: BackupFile
  /** Where the backup's secrets go: a store that is thrown away when this fails. */
  readonly secrets: SecretStore
  /** All that this program has. */
  readonly migrations: readonly Migration[]
  readonly actor: string
  readonly signal: AbortSignal
  readonly progress?: (progress: LoadProgress) => void
}

export interface LoadProgress {
  readonly part: string
  readonly bytes: number
}

export interface Loaded extends Contents {
  /** Tenants whose seed is gone: erased since, so nothing of theirs opens. */
  readonly erased: number
}

/**
 * @returns The migrations that a backup's database had: the first of ours.
 * @throws Problem `BACKUP` where they are not.
 */
export function migrationsOf(
  { migrations, program }: Header,
  ours: readonly Migration[],
  path: string,
): readonly Migration[] {
  for (const [index, { name, sha256 }] of migrations.entries()) {
    const here = ours[index]
    if (here === undefined) {
      throw new Problem("BACKUP", {
        message: `${path} was made by a newer release (${program}, with ${name}): restore it with that one. Nothing was changed.`,
      })
    }
    if (here.name !== name || here.sha256 !== sha256) {
      throw new Problem("BACKUP", {
        message: `${path} was made by a program (${program}) whose ${name} is not this one's ${here.name}: restore it with the release that made it. Nothing was changed.`,
      })
    }
  }
  return ours.slice(0, migrations.length)
}

/**
 * @param client - zt_migrate's, not through a pooler in transaction mode. Close it when this throws:
 *   that rolls back, whatever COPY is under way.
 * @throws Problem `BACKUP` and what the database refuses; it is as it was before, then.
 */
export async function loadBackup(client: pg.Client, options: LoadOptions): Promise<Loaded> {
  try {
    await client.query(`begin; set local lock_timeout = 0; ${COPY_SETTINGS}`)
    const contents = await loadTables(client, options)
    await checkContents(client, contents, options)
    const seeds = await loadSeeds(client, options)
    await refuseOlderSeeds(client, contents.header, seeds, options)
    const erased = await openNames(client, options)
    await eraseAgain(client, options.actor)
    await runStatement(client, "select audit.append($1, $2, 'backup.restored', null, $3, $4)", [
      newUuid(),
      options.actor,
      contents.header.at,
      { program: contents.header.program, rows: contents.rows },
    ])
    await client.query("commit")
    return { ...contents, erased }
  } catch (error) {
    throw loadProblem(error)
  }
}

async function loadTables(client: pg.Client, options: LoadOptions): Promise<Contents> {
  const unsecured: Secured[] = []
  const contents = await readBackup(options.backup, {
    async header(header) {
      for (const { sql } of migrationsOf(header, options.migrations, options.backup.path)) {
        // In this one transaction, and with nobody else there, no index needs CONCURRENTLY.
        await client.query(sql.replaceAll(/\bconcurrently\b/gi, ""))
      }
      unsecured.push(...(await withoutRowSecurity(client)))
      await emptyTables(client)
    },
    secrets: (secrets) => restoreSecrets(options.secrets, secrets),
    async table(table) {
      if (await makePartition(client, table)) unsecured.push(...(await withoutRowSecurity(client)))
      return loadTable(client, table, options)
    },
    async sequences(sequences) {
      for (const { value, called, ...sequence } of sequences) {
        await runStatement(client, "select setval($1::regclass, $2, $3)", [
          quoted(sequence),
          value,
          called,
        ])
      }
    },
  })
  await withRowSecurity(client, unsecured)
  return contents
}

/** Usage has a partition a day, which no migration makes of days gone by. @returns Whether it was made. */
async function makePartition(
  client: pg.Client,
  { schema, name }: Pick<TableStart, "schema" | "name">,
): Promise<boolean> {
  const day = /^usage_(\d{8})$/.exec(name)?.[1]
  if (day === undefined || !isSchema(schema)) return false
  const { rows } = await runStatement<{ made: boolean }>(
    client,
    `select ${schema}.add_usage_day(to_date($1, 'YYYYMMDD')) as made`,
    [day],
  )
  return rows[0]?.made === true
}

function isSchema(name: string): boolean {
  return Object.values(SCHEMAS).some((schema) => schema === name)
}

function loadTable(
  client: pg.Client,
  table: TableStart,
  { signal, progress, backup }: LoadOptions,
): TableVisitor {
  const part = `${table.schema}.${table.name}`
  const loading = copyIn(client, table)
  let bytes = 0
  return {
    async data(piece) {
      signal.throwIfAborted()
      await loading.write(piece)
      bytes += piece.length
      progress?.({ part, bytes })
    },
    async end({ rows }) {
      const loaded = await loading.end()
      if (loaded === rows) return
      throw new Problem("BACKUP", {
        message: `Of ${part}, ${loaded} rows came in, and ${backup.path} holds ${rows}. Nothing was changed.`,
      })
    },
  }
}

/** Reads every table out again: what does not come out as it went in is not committed. */
async function checkContents(
  client: pg.Client,
  { tables }: Contents,
  { signal, progress, backup }: LoadOptions,
): Promise<void> {
  for (const table of tables) {
    const part = `${table.schema}.${table.name}`
    let bytes = 0
    const found = await copyOut(client, table, (piece) => {
      signal.throwIfAborted()
      bytes += piece.length
      progress?.({ part: `checking ${part}`, bytes })
    })
    if (isEqual(found, table)) continue
    throw new Problem("BACKUP", {
      message: `${part} does not come out of the database as it is in ${backup.path}. Nothing was changed.`,
    })
  }
}

function isEqual(a: TableEnd, b: TableEnd): boolean {
  return a.rows === b.rows && a.bytes === b.bytes && a.sha256 === b.sha256
}

/** Seeds may be newer than the backup: of tenants that came later, and without those erased since. */
async function loadSeeds(client: pg.Client, { seeds }: LoadOptions): Promise<Header> {
  const table = quoted(SEEDS)
  const aside = quoted({ schema: SEEDS.schema, name: "restored_seed" })
  await client.query(`create table ${aside} (like ${table})`)
  const { header } = await readBackup(seeds, {
    table(start) {
      const loading = copyIn(client, { ...start, name: "restored_seed" })
      return { data: (piece) => loading.write(piece), end: async () => void (await loading.end()) }
    },
  })
  await client.query(`insert into ${table} select * from ${aside} s
    where exists (select from platform.tenant t where t.id = s.tenant_id); drop table ${aside}`)
  return header
}

/**
 * A tenant that older keys lack may just be newer than they are, and must not end as an erased one.
 * @throws Problem `BACKUP` where there is one whose erasure nothing in the backup tells of.
 */
async function refuseOlderSeeds(
  client: pg.Client,
  { at }: Header,
  { at: seedsAt }: Header,
  { backup, seeds }: LoadOptions,
): Promise<void> {
  if (Date.parse(seedsAt) >= Date.parse(at)) return
  const { rows } = await runStatement<{ tenants: number }>(
    client,
    `select count(*)::int as tenants from platform.tenant t
      where not exists (select from platform.tenant_key k where k.tenant_id = t.id)
        and not exists (select from audit.entry e where e.tenant_id = t.id and e.action = 'tenant.erased')`,
  )
  const tenants = rows[0]?.tenants ?? 0
  if (tenants === 0) return
  throw new Problem("BACKUP", {
    message: `The tenants' keys in ${seeds.path} (of ${seedsAt}) are older than ${backup.path} (of ${at}), and lack those of ${tenants} of its tenants, whose data would be lost: take the file that lay beside the backup, or a later one. Nothing was changed.`,
  })
}

/** @returns How many tenants have no seed. @throws Problem `BACKUP` where a seed is not its tenant's. */
async function openNames(
  client: pg.Client,
  { backup, seeds, secrets }: LoadOptions,
): Promise<number> {
  const keyring = await Keyring.open(secrets)
  let erased = 0
  let after = "00000000-0000-0000-0000-000000000000"
  for (;;) {
    const { rows } = await runStatement<{ id: string; sealed: Buffer; seed: Buffer | null }>(
      client,
      `select t.id, t.sealed_name as sealed, k.seed
        from platform.tenant t left join platform.tenant_key k on k.tenant_id = t.id
        where t.id > $1 order by t.id limit 1000`,
      [after],
    )
    for (const { id, sealed, seed } of rows) {
      after = id
      if (seed === null) {
        erased++
        continue
      }
      const place = { table: "platform.tenant", column: "sealed_name", tenantId: id, rowId: id }
      try {
        keyring.keys(id, seed).open(place, sealed)
      } catch (cause) {
        throw new Problem("BACKUP", {
          message: `The tenants' keys in ${seeds.path} do not open what is in ${backup.path}: take the file that lay beside it, or a later one. Nothing was changed.`,
          cause,
        })
      }
    }
    if (rows.length === 0) return erased
  }
}

/** What was done to tenants that were erased after the backup: their keys work no more (keys/tenants.ts). */
async function eraseAgain(client: pg.Client, actor: string): Promise<void> {
  const { rows } = await runStatement<{ id: string }>(
    client,
    `update platform.tenant t set name_index = substring(sha256(gen_random_uuid()::text::bytea) for 16)
      where not exists (select from platform.tenant_key k where k.tenant_id = t.id)
        and not exists (select from audit.entry e where e.tenant_id = t.id and e.action = 'tenant.erased')
      returning id`,
  )
  for (const { id } of rows) {
    let keys = 0
    for (const schema of Object.values(SCHEMAS)) {
      const { rowCount } = await runStatement(
        client,
        `update ${schema}.api_key set revoked_at = clock_timestamp()
          where tenant_id = $1 and revoked_at is null`,
        [id],
      )
      keys += rowCount ?? 0
    }
    await runStatement(client, "select audit.append($1, $2, 'tenant.erased', $3, $4, $5)", [
      newUuid(),
      actor,
      id,
      encodeId("ten", id),
      { keys },
    ])
  }
}

interface Secured {
  readonly name: string
  readonly enabled: boolean
  readonly forced: boolean
}

async function withoutRowSecurity(client: pg.Client): Promise<readonly Secured[]> {
  const { rows } = await runStatement<Secured>(
    client,
    `select c.oid::regclass::text as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and (c.relrowsecurity or c.relforcerowsecurity)
        and n.nspowner in (select oid from pg_roles where rolname like 'zt\\_%')`,
  )
  for (const { name } of rows) {
    await client.query(
      `alter table ${name} no force row level security, disable row level security`,
    )
  }
  return rows
}

async function withRowSecurity(client: pg.Client, secured: readonly Secured[]): Promise<void> {
  for (const { name, enabled, forced } of secured) {
    const able = enabled ? "enable" : "disable"
    const force = forced ? "force" : "no force"
    await client.query(
      `alter table ${name} ${able} row level security, ${force} row level security`,
    )
  }
}

/** Rows that migrations made are in the backup as well. */
async function emptyTables(client: pg.Client): Promise<void> {
  for (const table of (await listTables(client)).reverse()) {
    const { rows } = await runStatement(client, `select from ${quoted(table)} limit 1`)
    if (rows.length > 0) await client.query(`delete from ${quoted(table)}`)
  }
}

function loadProblem(error: unknown): unknown {
  if (error instanceof Problem || sqlState(error) === undefined) return error
  const what =
    sqlState(error) === DISK_FULL
      ? "The database's disk is full: free some space, then restore again"
      : `The database refused the backup: ${messageOf(error)}`
  return new Problem("BACKUP", { message: `${what}. Nothing was changed.`, cause: error })
}
