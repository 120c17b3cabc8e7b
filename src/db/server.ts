/**
 * Opens the database of a configuration: the embedded server, or the one of `ZT_DATABASE_URL`.
 *
 * Owns: what of it is open, and closing that. Not: how a database is set up (setup.ts).
 */
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Config } from "../config.ts"
import { Problem } from "../core/problem.ts"
import type { SecretStore } from "../secrets/store.ts"
import { readDatabaseUrl } from "./address.ts"
import type { Address, Credentials } from "./connection.ts"
import { credentials } from "./connection.ts"
import type { AdminDatabase, Database } from "./database.ts"
import { platformPackage } from "./embedded/binaries.ts"
import type { EmbeddedServer } from "./embedded/embedded.ts"
import { openEmbedded } from "./embedded/embedded.ts"
import { folderOf } from "./embedded/folder.ts"
import { openAdminDatabase, openDatabase } from "./pool.ts"
import type { State } from "./setup.ts"
import { checkOwn, EMBEDDED_DATABASE, setUpEmbedded } from "./setup.ts"

export interface Server extends State {
  /** Opens its connections as they are needed. Whoever takes it closes it, or the server does. */
  database(): Database
  admin(): AdminDatabase
  readonly embedded: boolean
  readonly address: Address
  /** The embedded server's, for changing its password. */
  readonly superuser: Credentials | undefined
  /** Closes what was opened here; the last user of an embedded server stops it. */
  close(): Promise<void>
}

export interface OpenOptions {
  /** The npm package with the embedded server's binaries; by default, the platform's. */
  readonly embeddedPackage?: string
}

/**
 * An embedded database is made, bootstrapped and migrated as needed; one's own must be ready.
 * @throws Problem `PLATFORM`, `DATA_FOLDER`, `DATABASE`, `INVALID_SETTING` or `UNAVAILABLE`
 */
export async function openServer(
  config: Config,
  secrets: SecretStore,
  { embeddedPackage = platformPackage() }: OpenOptions = {},
): Promise<Server> {
  refuseHalfRestored(config.dataDir)
  if (config.databaseUrl !== undefined) {
    const { address, database } = readDatabaseUrl(config.databaseUrl)
    const there = address(database)
    return serve(config, secrets, there, await checkOwn(there, secrets))
  }
  const embedded = await openEmbedded(config.dataDir, secrets, embeddedPackage)
  try {
    const state = await setUpEmbedded(embedded, secrets)
    return await serve(config, secrets, embedded.address(EMBEDDED_DATABASE), state, embedded)
  } catch (error) {
    await embedded.close()
    throw error
  }
}

/**
 * The same for work on a deployment that is there: a command in the wrong folder must not make one.
 * @throws Problem also `DATA_FOLDER` where there is none
 */
export async function openDeployment(config: Config, secrets: SecretStore): Promise<Server> {
  const { dataDir, databaseUrl } = config
  refuseHalfRestored(dataDir)
  if (databaseUrl === undefined && !existsSync(folderOf(dataDir).data)) {
    throw new Problem("DATA_FOLDER", {
      message: `There is no deployment in ${dataDir}: 'bin/zygentrust start' makes one. If yours lies elsewhere, set ZT_DATA_DIR, or ZT_DATABASE_URL for a database of your own.`,
    })
  }
  return openServer(config, secrets)
}

/** A new, empty deployment in its place would pass for what was to be restored, and stand in its way. */
function refuseHalfRestored(dataDir: string): void {
  const left = join(dataDir, "restoring") // src/backup/scratch.ts
  if (!existsSync(left)) return
  throw new Problem("DATA_FOLDER", {
    message: `A restore into ${dataDir} was interrupted, or is under way: run 'bin/zygentrust restore' with the same backup again, which begins anew or finishes it. To do without, remove ${left}.`,
  })
}

async function serve(
  { databasePoolSize }: Config,
  secrets: SecretStore,
  address: Address,
  state: State,
  embedded?: EmbeddedServer,
): Promise<Server> {
  const [runtime, admin] = await Promise.all([
    credentials(secrets, "zt_runtime"),
    credentials(secrets, "zt_admin"),
  ])
  const onUnreachable = embedded === undefined ? () => {} : reviver(embedded)
  const opened: { close(): Promise<void> }[] = []
  const keep = <T extends { close(): Promise<void> }>(one: T) => {
    opened.push(one)
    return one
  }
  return {
    ...state,
    embedded: embedded !== undefined,
    address,
    superuser: embedded?.superuser,
    database: () =>
      keep(openDatabase({ address, credentials: runtime, onUnreachable }, databasePoolSize)),
    admin: () => keep(openAdminDatabase({ address, credentials: admin, onUnreachable })),
    async close() {
      await Promise.all(opened.map((one) => one.close()))
      await embedded?.close()
    },
  }
}

/** @returns Starts the embedded server again when it is gone; one attempt at a time. */
function reviver(embedded: EmbeddedServer): () => void {
  let busy = false
  return () => {
    if (busy) return
    busy = true
    embedded
      .ensureRunning()
      .catch(() => {}) // whoever asks next is refused, and tries again
      .finally(() => {
        busy = false
      })
  }
}
