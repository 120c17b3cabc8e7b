/**
 * Makes the roles of a deployment and takes from PUBLIC what customers' roles must not have.
 *
 * Owns: running bootstrap.sql, the roles' passwords, the mark. Run as an administrator of the
 * server: the embedded one's superuser, or whom `ZT_ADMIN_DATABASE_URL` names. Again is harmless.
 * Invariant: all or nothing, the mark last.
 */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type pg from "pg"
import { Problem } from "../core/problem.ts"
import { messageOf } from "../core/thrown.ts"
import type { SecretStore } from "../secrets/store.ts"
import type { Address, Credentials } from "./connection.ts"
import { credentials, LOGINS, runStatement, withClient } from "./connection.ts"
import { isUnknown, sqlState } from "./errors.ts"
import { randomPassword, scramVerifier } from "./password.ts"

/** Add one with every change of bootstrap.sql: a database with a lower mark is bootstrapped again. */
export const BOOTSTRAP_VERSION = 4

/** All that bootstrap.sql makes. */
export const ROLES = [
  "zt_admin",
  "zt_backup",
  "zt_engineer",
  "zt_health",
  "zt_migrate",
  "zt_operator",
  "zt_owner",
  "zt_role_admin",
  "zt_runtime",
  "zt_sandbox",
  "zt_service",
  "zt_tenant",
] as const

const MIN_SERVER_VERSION = 15
/** The comment on a database that was made here, for drop.ts. */
const MADE = "made by zygentrust migrate --bootstrap"

export interface BootstrapOptions {
  /** @param database - One of the server's. */
  readonly address: (database: string) => Address
  readonly administrator: Credentials
  /** The deployment's; made when there is none. */
  readonly database: string
  /** Where to connect for making it. */
  readonly maintenanceDatabase: string
  readonly secrets: SecretStore
  /** The server is the data folder's own, so nobody else can hold its roles' passwords. */
  readonly embedded: boolean
}

/**
 * @returns What the administrator could not take from customers' roles: names of functions and
 *   views; empty where isolation is whole.
 * @throws Problem `DATABASE`
 */
export async function bootstrap(options: BootstrapOptions): Promise<string[]> {
  const { address, administrator, database } = options
  const run = () =>
    withClient(address(database), administrator, (client) => bootstrapDatabase(client, options))
  try {
    return await run()
  } catch (error) {
    if (sqlState(error) !== "3D000" || !isUnknown(error)) throw explained(error, options)
  }
  try {
    await withClient(address(options.maintenanceDatabase), administrator, async (client) => {
      await refuseSecondDeployment(client, options)
      const name = client.escapeIdentifier(database)
      await client.query(`create database ${name} encoding 'UTF8'`)
      await client.query(`comment on database ${name} is ${client.escapeLiteral(MADE)}`)
    })
    return await run()
  } catch (error) {
    throw explained(error, options)
  }
}

/** @returns Whether {@link bootstrap} made the database, and so may drop.ts drop it. */
export async function isMadeByUs(client: pg.Client, database: string): Promise<boolean> {
  const { rows } = await runStatement<{ made: boolean }>(
    client,
    `select coalesce(shobj_description(oid, 'pg_database') = $2, false) as made
      from pg_database where datname = $1`,
    [database, MADE],
  )
  return rows[0]?.made === true
}

async function bootstrapDatabase(client: pg.Client, options: BootstrapOptions): Promise<string[]> {
  const { database, secrets } = options
  await checkServer(client)
  await refuseSecondDeployment(client, options)
  const sql = await readFile(join(import.meta.dirname, "bootstrap.sql"), "utf8")
  const passwords = await Promise.all(
    LOGINS.map(async (role) => {
      const password = await secrets.getOrCreate(`${role}-password`, randomPassword)
      return `alter role ${role} password ${client.escapeLiteral(scramVerifier(password))};`
    }),
  )
  const mark = client.escapeLiteral(
    `zygentrust bootstrap ${BOOTSTRAP_VERSION}, database ${database}`,
  )
  await client.query(`begin; ${sql} ${passwords.join("\n")} comment on role zt_owner is ${mark};`)
  await refuseStrongRoles(client)
  const left = await client.query<{ name: string }>(LEFT_TO_CUSTOMERS)
  await client.query("commit")
  return left.rows.map(({ name }) => name)
}

function explained(error: unknown, { embedded }: BootstrapOptions): unknown {
  if (error instanceof Problem && isUnknown(error)) {
    const said = messageOf(error.cause)
    const message = embedded
      ? `The secret 'superuser-password' is not this database's (${said}): put back the file secrets.age that belongs to it.`
      : `The administrator's login was refused (${said}): correct user, password and database in ZT_ADMIN_DATABASE_URL. Nothing was changed.`
    return new Problem("DATABASE", { message, cause: error.cause })
  }
  if (error instanceof Problem || sqlState(error) === undefined) return error
  return new Problem("DATABASE", {
    message: `The administrator could not set up the database: ${messageOf(error)}. Roles and rights are as they were.`,
    cause: error,
  })
}

/** Roles belong to the whole server: a mark on one says whose they are. */
async function refuseSecondDeployment(client: pg.Client, options: BootstrapOptions): Promise<void> {
  const { rows } = await runStatement<{ other: string | null }>(
    client,
    `select substring(shobj_description(oid, 'pg_authid') from 'database (.*)$') as other
      from pg_roles where rolname = 'zt_owner'`,
  )
  const other = rows[0]?.other
  if (other === undefined || other === null) return
  if (other !== options.database) {
    throw new Problem("DATABASE", {
      message: `This server already holds a deployment, in the database '${other}': roles belong to the whole server, so take another server for a second one.`,
    })
  }
  if (options.embedded || (await holdsPasswords(options))) return
  throw new Problem("DATABASE", {
    message: `The roles of this server were made from another data folder: copy its secrets.age and identity.txt here. New passwords would lock out every instance that has the old ones; if that folder is lost for good, run "comment on role zt_owner is null" as the administrator, then this again. Nothing was changed.`,
  })
}

/** @returns False where the data folder lacks a role's password, or the server refuses it. */
async function holdsPasswords({ address, database, secrets }: BootstrapOptions): Promise<boolean> {
  const passwords = await Promise.all(LOGINS.map((role) => secrets.get(`${role}-password`)))
  if (passwords.includes(undefined)) return false
  const login = await credentials(secrets, "zt_migrate")
  return withClient(address(database), login, async () => true).catch(
    (error) => sqlState(error) !== "28P01", // a role may be barred from the administrator's way in
  )
}

async function checkServer(client: pg.Client): Promise<void> {
  const { rows } = await runStatement<{ version: string; encoding: string }>(
    client,
    "select current_setting('server_version') as version, getdatabaseencoding() as encoding",
  )
  const [found] = rows
  if (found === undefined || Number.parseInt(found.version, 10) < MIN_SERVER_VERSION) {
    throw new Problem("DATABASE", {
      message: `The server is PostgreSQL ${found?.version}; it must be ${MIN_SERVER_VERSION} or later.`,
    })
  }
  if (found.encoding !== "UTF8") {
    throw new Problem("DATABASE", {
      message: `The database's encoding is ${found.encoding}; make one with encoding 'UTF8'.`,
    })
  }
}

/** A name that was there before may hold more than it should. */
async function refuseStrongRoles(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ rolname: string }>(
    `select rolname from pg_roles where rolname like 'zt\\_%'
      and (rolsuper or rolbypassrls or rolcreatedb or rolreplication
        or rolcreaterole and rolname <> 'zt_role_admin')`,
  )
  if (rows.length === 0) return
  throw new Problem("DATABASE", {
    message: `Of these roles, none may be superuser, bypass row security, replicate or make roles or databases: ${rows.map(({ rolname }) => rolname).join(", ")}. Take that from them, then run this again.`,
  })
}

const LEFT_TO_CUSTOMERS = `
  select oid::regprocedure::text as name from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace
      and (proname in ('set_config', 'pg_notify', 'loread', 'lowrite')
        or proname ~ '^(lo_|pg_(try_)?advisory_|pg_stat_|pg_lock_|pg_.*blocking_pids$|pg_control_'
          '|pg_(relation|table|indexes|total_relation|tablespace|database)_size$|pg_current_wal_'
          '|pg_logical_emit_|pg_export_snapshot$|pg_xact_|txid_status$|pg_last_committed_'
          '|pg_get_multixact_|pg_get_replication_slots$|pg_prepared_|pg_cursor$'
          '|pg_listening_|pg_notification_|currtid|setseed$|ts_stat$'
          '|(query|table|schema|database|cursor)_to_xml)')
      and has_function_privilege('zt_tenant', oid, 'execute')
  union all
  select oid::regclass::text from pg_class
    where relnamespace = 'pg_catalog'::regnamespace and relkind = 'v'
      and relname ~ '^pg_(stat|locks$|prepared_|cursors$|replication_slots$)'
      and has_table_privilege('zt_tenant', oid, 'select')
  order by 1`
