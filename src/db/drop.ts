/**
 * Takes a deployment out of a server and leaves the server as it was before bootstrap.sql.
 *
 * Owns: the way back. Run as an administrator of the server, when nothing uses the deployment.
 * Invariant: all or nothing, but for the database itself, which goes last and only where
 * bootstrap.ts made it and nobody else has anything in it.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type pg from "pg"
import { Problem } from "../core/problem.ts"
import { messageOf } from "../core/thrown.ts"
import type { BootstrapOptions } from "./bootstrap.ts"
import { isMadeByUs, ROLES } from "./bootstrap.ts"
import { runStatement, withClient } from "./connection.ts"
import { isUnknown, sqlState } from "./errors.ts"

const PARTING_MS = 1_000
const LOOK_MS = 100

export type DropOptions = Omit<BootstrapOptions, "secrets" | "embedded">

export interface Dropped {
  readonly roles: readonly string[]
  /** The database is gone too. */
  readonly database: boolean
}

/** @throws Problem `DATABASE` that says who is connected, or what stands in the way. */
export async function dropDeployment(options: DropOptions): Promise<Dropped> {
  const { address, administrator, database, maintenanceDatabase } = options
  // Asked elsewhere: in the deployment's own database, only superusers see who is connected.
  const isMade = await withClient(address(maintenanceDatabase), administrator, async (client) => {
    await refuseForeign(client, database)
    await refuseSessions(client)
    await refuseOtherDatabases(client, database)
    const made = await isMadeByUs(client, database)
    if (made && maintenanceDatabase === database) throw inTheWay(database)
    return made
  })
  const { roles, isEmpty } = await withClient(address(database), administrator, (client) =>
    dropRoles(client).catch((error) => {
      throw explained(error)
    }),
  ).catch((error) => {
    throw sqlState(error) === "3D000" && isUnknown(error) ? gone(database) : error
  })
  if (!isMade || !isEmpty) return { roles, database: false }
  await withClient(address(maintenanceDatabase), administrator, (client) =>
    client.query(`drop database ${client.escapeIdentifier(database)}`).catch((error) => {
      throw new Problem("DATABASE", {
        message: `The roles and tables are gone, and the empty database '${database}' is still there (${messageOf(error)}): drop it by hand.`,
        cause: error,
      })
    }),
  )
  return { roles, database: true }
}

async function dropRoles(client: pg.Client): Promise<{ roles: string[]; isEmpty: boolean }> {
  await client.query("begin")
  const { rows } = await client.query<{ name: string }>(THERE, [ROLES])
  const roles = rows.map(({ name }) => name)
  const names = roles.map((name) => client.escapeIdentifier(name)).join(", ")
  if (!(await isSuperuser(client))) await becomeMember(client, roles)
  const { rows: grants } = await client.query<{ statement: string }>(GIVE_BACK)
  await client.query(`drop owned by ${names}`) // the note of what was taken goes as well
  for (const { statement } of grants) await client.query(statement)
  await client.query(`drop role ${names}`)
  const { rows: left } = await client.query<{ empty: boolean }>(IS_EMPTY)
  await client.query("commit")
  return { roles, isEmpty: left[0]?.empty === true }
}

async function isSuperuser(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ rolsuper: boolean }>(
    "select rolsuper from pg_roles where rolname = current_user",
  )
  return rows[0]?.rolsuper === true
}

/** Whoever is no superuser drops what is owned as a member of the owner; zt_role_admin's roles last. */
async function becomeMember(client: pg.Client, roles: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ options: string }>(
    `select case when current_setting('server_version_num')::int >= 160000
      then ' with inherit true, set true' else '' end as options`,
  )
  const isMadeHere = (name: string) => ROLES.some((role) => role === name)
  for (const some of [roles.filter(isMadeHere), roles.filter((name) => !isMadeHere(name))]) {
    if (some.length === 0) continue
    const names = some.map((name) => client.escapeIdentifier(name)).join(", ")
    await client.query(`grant ${names} to current_user${rows[0]?.options ?? ""}`)
  }
}

async function refuseForeign(client: pg.Client, database: string): Promise<void> {
  const { rows } = await runStatement<{ owner: string | null }>(
    client,
    `select substring(shobj_description(oid, 'pg_authid') from 'database (.*)$') as owner
      from pg_roles where rolname = 'zt_owner'`,
  )
  const [role] = rows
  if (role === undefined) {
    throw new Problem("DATABASE", { message: "This server holds no deployment." })
  }
  if (role.owner !== null && role.owner !== database) {
    throw new Problem("DATABASE", {
      message: `This server's deployment is in the database '${role.owner}', not in '${database}': correct ZT_DATABASE_URL. Nothing was changed.`,
    })
  }
}

/** A server process outlives its client by a moment, which is waited for. */
async function refuseSessions(client: pg.Client): Promise<void> {
  const look = () => runStatement<{ session: string }>(client, SESSIONS, [ROLES])
  let { rows } = await look()
  for (let waited = 0; rows.length > 0 && waited < PARTING_MS; waited += LOOK_MS) {
    await sleep(LOOK_MS)
    rows = (await look()).rows
  }
  if (rows.length === 0) return
  throw new Problem("DATABASE", {
    message: `Instances are connected; stop them first. ${rows.map(({ session }) => session).join("; ")}. Nothing was changed.`,
  })
}

/** Roles cannot be dropped while another database grants them something. */
async function refuseOtherDatabases(client: pg.Client, database: string): Promise<void> {
  const { rows } = await runStatement<{ datname: string }>(
    client,
    `select distinct datname from pg_shdepend s join pg_database d on d.oid in (s.dbid, s.objid)
        and (s.dbid = d.oid or s.classid = 'pg_database'::regclass)
      where refclassid = 'pg_authid'::regclass and datname <> $2
        and refobjid in (select oid from pg_roles where rolname = any ($1))
      order by 1`,
    [ROLES, database],
  )
  if (rows.length === 0) return
  throw new Problem("DATABASE", {
    message: `The roles own or may use something in other databases too: ${rows.map(({ datname }) => datname).join(", ")}. Drop those, or take it from them, then run this again. Nothing was changed.`,
  })
}

function explained(error: unknown): unknown {
  if (error instanceof Problem || sqlState(error) === undefined) return error
  const detail = error instanceof Error && "detail" in error ? ` (${String(error.detail)})` : ""
  return new Problem("DATABASE", {
    message: `The administrator could not take the deployment out: ${messageOf(error)}${detail}. Nothing was changed.`,
    cause: error,
  })
}

function inTheWay(database: string): Problem {
  return new Problem("INVALID_SETTING", {
    message: `ZT_ADMIN_DATABASE_URL names '${database}' itself, which is to be dropped: name another database of the server, as /postgres. Nothing was changed.`,
  })
}

function gone(database: string): Problem {
  return new Problem("DATABASE", {
    message: `The database '${database}' is not there any more. Make an empty one of that name, then run this again: it takes the roles out.`,
  })
}

const THERE = `
  select rolname as name from pg_roles
    where rolname = any ($1) or rolname ~ '^zt_grant_[a-z0-9]{8,26}$' order by 1`

const SESSIONS = `
  select format('%s in %s%s (process %s)', usename, datname,
      coalesce(' from ' || client_addr, ''), pid) as session
    from pg_stat_activity
    where usename = any ($1) or usename ~ '^zt_grant_[a-z0-9]{8,26}$' order by 1`

/** What bootstrap.sql noted; names are looked up and quoted again, so that a note can run nothing. */
const GIVE_BACK = `
  with noted as (
    select one->>0 as kind, one->>1 as name, one->>2 as privilege
    from jsonb_array_elements(
      obj_description(to_regnamespace('role_admin'), 'pg_namespace')::jsonb) one
    where one->>2 in ('execute', 'select', 'usage', 'create', 'connect', 'temporary', 'insert',
      'update', 'delete', 'truncate', 'references', 'trigger', 'maintain')
  )
  select format('grant %s on function %s to public', privilege, thing) as statement
    from (select privilege, case kind when 'function' then to_regprocedure(name) end as thing
      from noted) functions
    where thing is not null
  union all
  select format('grant %s on table %s to public', privilege, thing)
    from (select privilege, case kind when 'table' then to_regclass(name) end as thing
      from noted) tables
    where thing is not null
  union all
  select format('grant %s on schema public to public', privilege) from noted
    where kind = 'schema' and to_regnamespace('public') is not null
  union all
  select format('grant %s on database %I to public', privilege, current_database()) from noted
    where kind = 'database'`

const IS_EMPTY = String.raw`
  select not exists (
      select from pg_namespace
        where nspname not like 'pg\_%' and nspname not in ('information_schema', 'public'))
    and not exists (select from pg_class where relnamespace = to_regnamespace('public'))
    and not exists (select from pg_proc where pronamespace = to_regnamespace('public')) as empty`
