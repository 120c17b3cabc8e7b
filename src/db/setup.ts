/**
 * Brings a database to the state that this program needs, or says what is missing.
 *
 * Owns: the order of roles and migrations. The embedded database is set up by itself at every
 * start; one's own by its administrator's commands, and a start only checks.
 */
import type pg from "pg"
import { Problem } from "../core/problem.ts"
import type { SecretStore } from "../secrets/store.ts"
import { readAdministratorUrl, readDatabaseUrl } from "./address.ts"
import { BOOTSTRAP_VERSION, bootstrap } from "./bootstrap.ts"
import type { Address } from "./connection.ts"
import { credentials, LOGINS, runStatement, withClient } from "./connection.ts"
import type { Dropped } from "./drop.ts"
import { dropDeployment } from "./drop.ts"
import type { EmbeddedServer } from "./embedded/embedded.ts"
import { isUnknown } from "./errors.ts"
import { loadMigrations, migrate, pendingMigrations, record } from "./migrator.ts"
import type { Standby, StandbyRow } from "./standby.ts"
import { STANDBY, standbyOf } from "./standby.ts"

export interface State {
  /** The server's version, as it says it: `18.4`. */
  readonly version: string
  /** Names of the migrations that were applied now. */
  readonly migrated: readonly string[]
}

/** The embedded server's database. */
export const EMBEDDED_DATABASE = "zygentrust"

/** Makes roles, their passwords and tables of the embedded database where they are missing. @throws Problem */
export async function setUpEmbedded(server: EmbeddedServer, secrets: SecretStore): Promise<State> {
  const address = server.address(EMBEDDED_DATABASE)
  const migrations = await loadMigrations()
  const attempt = (bootstrapped = false) =>
    asMigrator(address, secrets, async (client) => {
      const { version, bootstrapVersion } = await readState(client)
      if (bootstrapVersion < BOOTSTRAP_VERSION) return undefined
      const migrated = await migrate(client, migrations)
      if (bootstrapped) await recordBootstrap(client)
      return { version, migrated }
    })
  const passwords = await Promise.all(LOGINS.map((role) => secrets.get(`${role}-password`)))
  if (!server.fresh && !passwords.includes(undefined)) {
    const state = await attempt().catch((error) => {
      if (!isUnknown(error)) throw error // else: a first start was interrupted
    })
    if (state !== undefined) return state
  }
  await bootstrapEmbedded(server, secrets)
  const after = await attempt(true)
  if (after === undefined) throw new Problem("DATABASE")
  return after
}

/** Makes roles and database of an embedded server, and no table. @throws Problem */
export async function bootstrapEmbedded(
  server: EmbeddedServer,
  secrets: SecretStore,
): Promise<void> {
  await server.locked(() =>
    bootstrap({
      address: server.address,
      administrator: server.superuser,
      database: EMBEDDED_DATABASE,
      maintenanceDatabase: "postgres",
      secrets,
      embedded: true,
    }),
  )
}

/** @throws Problem `DATABASE` that names the command to run, where a database is behind. */
export async function checkOwn(address: Address, secrets: SecretStore): Promise<State> {
  return asMigrator(address, secrets, async (client) => {
    const { version, bootstrapVersion } = await readState(client)
    if (bootstrapVersion < BOOTSTRAP_VERSION) throw needsBootstrap("was set up by an older release")
    const [pending] = await pendingMigrations(client, await loadMigrations())
    if (pending === undefined) return { version, migrated: [] }
    throw new Problem("DATABASE", {
      message: `The database lacks migration ${pending.name}: run 'bin/zygentrust migrate', then start again.`,
    })
  })
}

/** @returns What a failover of this database would lose. @throws Problem */
export async function readStandby(address: Address, secrets: SecretStore): Promise<Standby> {
  return asMigrator(address, secrets, async (client) => {
    const { rows } = await runStatement<StandbyRow>(client, STANDBY)
    const [row] = rows
    if (row === undefined) throw new Problem("DATABASE")
    return standbyOf(row)
  })
}

/** Brings the database of `ZT_DATABASE_URL` up to date, not through a pooler. @throws Problem */
export async function migrateOwn(databaseUrl: string, secrets: SecretStore): Promise<State> {
  const { address, database } = readDatabaseUrl(databaseUrl)
  const migrations = await loadMigrations()
  return asMigrator(address(database), secrets, async (client) => {
    const { version, bootstrapVersion } = await readState(client)
    if (bootstrapVersion < BOOTSTRAP_VERSION) throw needsBootstrap("was set up by an older release")
    return { version, migrated: await migrate(client, migrations) }
  })
}

/**
 * Makes the roles for the database of `ZT_DATABASE_URL`, and the database itself; then migrates.
 * @returns Also what customers' roles keep that they should not have (bootstrap.ts).
 * @throws Problem
 */
export async function bootstrapOwn(
  databaseUrl: string,
  adminDatabaseUrl: string,
  secrets: SecretStore,
): Promise<State & { readonly weaknesses: readonly string[] }> {
  const { address, database } = readDatabaseUrl(databaseUrl)
  const administrator = readAdministratorUrl(adminDatabaseUrl)
  const weaknesses = await bootstrap({
    address: administrator.address,
    administrator: administrator.credentials,
    database,
    maintenanceDatabase: administrator.database,
    secrets,
    embedded: false,
  })
  const state = await migrateOwn(databaseUrl, secrets)
  await asMigrator(address(database), secrets, recordBootstrap)
  return { ...state, weaknesses }
}

/** Takes the deployment out of its server (drop.ts). @throws Problem */
export async function dropOwn(databaseUrl: string, adminDatabaseUrl: string): Promise<Dropped> {
  const { database } = readDatabaseUrl(databaseUrl)
  const administrator = readAdministratorUrl(adminDatabaseUrl)
  return dropDeployment({
    address: administrator.address,
    administrator: administrator.credentials,
    database,
    maintenanceDatabase: administrator.database,
  })
}

/** Afterwards, as at the first time there is no log before. */
function recordBootstrap(client: pg.Client): Promise<void> {
  return record(client, "database.bootstrapped", `bootstrap ${BOOTSTRAP_VERSION}`)
}

async function asMigrator<T>(
  address: Address,
  secrets: SecretStore,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  return withClient(address, await credentials(secrets, "zt_migrate"), work)
}

async function readState(client: pg.Client) {
  const { rows } = await runStatement<{ version: string; mark: string | null }>(
    client,
    `select current_setting('server_version') as version,
      shobj_description('zt_owner'::regrole, 'pg_authid') as mark`,
  )
  const [row] = rows
  return {
    version: row?.version.split(" ", 1)[0] ?? "",
    bootstrapVersion: Number(/ bootstrap (\d+),/.exec(row?.mark ?? "")?.[1] ?? 0),
  }
}

function needsBootstrap(what: string): Problem {
  return new Problem("DATABASE", {
    message: `The database ${what}: run 'bin/zygentrust migrate --bootstrap' with ZT_ADMIN_DATABASE_URL.`,
  })
}
