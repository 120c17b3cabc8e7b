/**
 * Restores a backup: into an empty data folder with the embedded database, or into an empty server
 * of one's own.
 *
 * Owns: the order, and what is undone when a step fails. Not: the rows (load.ts).
 * Invariant: the data folder has the deployment whole or is as it was. Everything is made in a
 * scratch folder; the last steps are two renames, which an interrupted restore finishes when it is
 * run again.
 */
import { open, rename, rm, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type pg from "pg"
import { Problem } from "../core/problem.ts"
import { messageOf } from "../core/thrown.ts"
import { readAdministratorUrl, readDatabaseUrl } from "../db/address.ts"
import { bootstrap } from "../db/bootstrap.ts"
import type { Address } from "../db/connection.ts"
import { credentials, runStatement, withClient } from "../db/connection.ts"
import type { DropOptions } from "../db/drop.ts"
import { dropDeployment } from "../db/drop.ts"
import { sqlState } from "../db/errors.ts"
import { loadMigrations, migrate } from "../db/migrator.ts"
import { EMBEDDED_DATABASE } from "../db/setup.ts"
import { fileSecrets } from "../secrets/files.ts"
import type { IdentitySource } from "../secrets/identity.ts"
import { readIdentity } from "../secrets/identity.ts"
import type { SecretStore } from "../secrets/store.ts"
import { withCopyClient } from "./connection.ts"
import { SEEDS_FILE } from "./folder.ts"
import type { Loaded, LoadProgress } from "./load.ts"
import { loadBackup, migrationsOf } from "./load.ts"
import type { BackupFile } from "./reader.ts"
import { readBackup } from "./reader.ts"
import { exists, withScratch, withScratchServer } from "./scratch.ts"
import { signerOf } from "./signature.ts"

export interface RestoreOptions {
  readonly dataDir: string
  readonly identity: IdentitySource
  /** One's own server; without it, the embedded one. */
  readonly server?: OwnServer
  readonly file: string
  /** Of the tenants' keys; without it, the one beside the backup. */
  readonly seeds?: string | undefined
  /** Whose backup it must be; without it, the identity's. */
  readonly deployment?: string | undefined
  readonly actor: string
  readonly signal: AbortSignal
  readonly progress?: (progress: LoadProgress) => void
}

export interface OwnServer {
  readonly databaseUrl: string
  readonly adminDatabaseUrl: string
}

export interface Restored extends Loaded {
  /** Names of newer migrations that were applied afterwards. */
  readonly migrated: readonly string[]
}

/** In the order in which they are put into place: a database without its secrets does not start. */
const PARTS = ["postgres", "secrets.age"]
const COMPLETE = "complete"
const DROP_ATTEMPTS = 20
const DROP_WAIT_MS = 100

/**
 * @returns Undefined where an interrupted restore was only finished.
 * @throws Problem that says what to do; data folder and server are as they were, then.
 */
export async function restore(options: RestoreOptions): Promise<Restored | undefined> {
  if (await finishInterrupted(options.dataDir)) return undefined
  await refuseUsedFolder(options.dataDir)
  const own = await identityFor(options.dataDir, options.identity)
  const files = await findFiles(options, own.identity)
  // Once to its end before anything is made, so that a bad file is refused early.
  const { header } = await readBackup(files.backup)
  migrationsOf(header, await loadMigrations(), files.backup.path)
  await readBackup(files.seeds)
  return withScratch(options.dataDir, "restoring", async (folder) => {
    options.signal.throwIfAborted()
    const secrets = fileSecrets(folder, { ...options.identity, identityFile: own.file })
    const restored =
      options.server === undefined
        ? await restoreEmbedded(folder, secrets, files, options)
        : await restoreOwn(options.server, secrets, files, options, () => markComplete(folder))
    if (options.server === undefined) await markComplete(folder)
    await putIntoPlace(options.dataDir)
    return restored
  })
}

export interface DrillOptions extends Omit<RestoreOptions, "server" | "identity"> {
  /** `AGE-SECRET-KEY-1…` */
  readonly identity: string
}

/**
 * Restores a backup into a scratch database in the data folder, and throws that away.
 * @throws Problem as {@link restore} does: then the backup would not restore either.
 */
export async function drill(options: DrillOptions): Promise<Restored> {
  const files = await findFiles(options, options.identity)
  return withScratch(options.dataDir, "drill", (folder) =>
    // With an identity of its own, which goes with it.
    restoreEmbedded(folder, fileSecrets(folder), files, options),
  )
}

/** @throws Problem `BACKUP` where there is none; none is made. */
export async function identityFor(dataDir: string, source: IdentitySource) {
  const found = await readIdentity(dataDir, source)
  if (found !== undefined) return found
  throw new Problem("BACKUP", {
    message: `There is no identity to open the backup with: name its file in ZT_IDENTITY_FILE, or put it into ${join(dataDir, "identity.txt")}. Nothing was changed.`,
  })
}

interface Files {
  readonly backup: BackupFile
  readonly seeds: BackupFile
}

async function findFiles(
  options: Pick<RestoreOptions, "file" | "seeds" | "deployment">,
  identity: string,
): Promise<Files> {
  if (!(await exists(options.file))) {
    throw new Problem("BACKUP", { message: `There is no ${options.file}. Nothing was changed.` })
  }
  const deployment = options.deployment ?? signerOf(identity).deployment
  const seeds = options.seeds ?? join(dirname(options.file), SEEDS_FILE)
  if (!(await exists(seeds))) {
    throw new Problem("BACKUP", {
      message: `The tenants' keys are missing: ${seeds} must lie beside the backup, or be named by --tenant-keys. Nothing was changed.`,
    })
  }
  return {
    backup: { path: options.file, kind: "backup", identity, deployment },
    seeds: { path: seeds, kind: "tenant-keys", identity, deployment },
  }
}

async function refuseUsedFolder(dataDir: string): Promise<void> {
  for (const part of PARTS) {
    if (!(await exists(join(dataDir, part)))) continue
    throw new Problem("BACKUP", {
      message: `${dataDir} holds a deployment already ('${part}'), and nothing is overwritten: set ZT_DATA_DIR to a new folder, or move this one away. Nothing was changed.`,
    })
  }
}

function restoreEmbedded(
  folder: string,
  secrets: SecretStore,
  files: Files,
  options: Pick<RestoreOptions, "actor" | "signal" | "progress">,
): Promise<Restored> {
  return withScratchServer(folder, secrets, (server) =>
    load(server.address(EMBEDDED_DATABASE), secrets, files, options),
  )
}

async function load(
  address: Address,
  secrets: SecretStore,
  files: Files,
  options: Pick<RestoreOptions, "actor" | "signal" | "progress">,
): Promise<Restored> {
  const { actor, signal, progress } = options
  const migrations = await loadMigrations()
  const migrator = await credentials(secrets, "zt_migrate")
  return withCopyClient(address, migrator, async (client) => {
    const loaded = await loadBackup(client, {
      ...files,
      secrets,
      migrations,
      actor,
      signal,
      ...(progress && { progress }),
    })
    return { ...loaded, migrated: await migrate(client, migrations) }
  })
}

async function restoreOwn(
  { databaseUrl, adminDatabaseUrl }: OwnServer,
  secrets: SecretStore,
  files: Files,
  options: RestoreOptions,
  complete: () => Promise<void>,
): Promise<Restored> {
  const { address, database } = readDatabaseUrl(databaseUrl)
  const administrator = readAdministratorUrl(adminDatabaseUrl)
  const target = {
    address: administrator.address,
    administrator: administrator.credentials,
    database,
    maintenanceDatabase: administrator.database,
  }
  await withClient(target.address(target.maintenanceDatabase), target.administrator, refuseRoles)
  await withClient(target.address(database), target.administrator, refuseObjects).catch((error) => {
    if (sqlState(error) !== "3D000") throw error // it is made
  })
  await bootstrap({ ...target, secrets, embedded: false })
  try {
    const restored = await load(address(database), secrets, files, options)
    await complete() // from here on, the passwords of its roles are kept
    return restored
  } catch (error) {
    await takeOut(target, error)
    throw error
  }
}

/**
 * Makes the server what it was. The session that failed may be on its way out still.
 * @throws Problem that says what is left, where this cannot be had.
 */
async function takeOut(target: DropOptions, error: unknown): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await dropDeployment(target)
      return
    } catch (cause) {
      if (attempt < DROP_ATTEMPTS) {
        await sleep(DROP_WAIT_MS)
        continue
      }
      throw new Problem("BACKUP", {
        message: `${messageOf(error)} The server keeps roles of this attempt, and no data (${messageOf(cause)}): take them out with 'bin/zygentrust migrate --drop' before another.`,
        cause: error,
      })
    }
  }
}

async function refuseRoles(client: pg.Client): Promise<void> {
  const { rows } = await runStatement(client, "select from pg_roles where rolname = 'zt_owner'")
  if (rows.length === 0) return
  throw new Problem("BACKUP", {
    message:
      "This server holds a deployment, or what is left of one, and nothing is overwritten: take another server, or take that one out with 'bin/zygentrust migrate --drop'. Nothing was changed.",
  })
}

async function refuseObjects(client: pg.Client): Promise<void> {
  const { rows } = await runStatement<{ name: string }>(
    client,
    `select c.oid::regclass::text as name from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' limit 1`,
  )
  if (rows[0] === undefined) return
  throw new Problem("BACKUP", {
    message: `The database in ZT_DATABASE_URL is not empty (${rows[0].name}): name another, which is made where it is missing. Nothing was changed.`,
  })
}

/** @returns Whether there was a restore that only had to be put into place. */
async function finishInterrupted(dataDir: string): Promise<boolean> {
  if (!(await exists(join(dataDir, "restoring", COMPLETE)))) return false
  await putIntoPlace(dataDir)
  await rm(join(dataDir, "restoring"), { recursive: true, force: true })
  return true
}

async function markComplete(folder: string): Promise<void> {
  await writeFile(join(folder, COMPLETE), "", { flush: true, mode: 0o600 })
  await syncFolder(folder)
}

async function putIntoPlace(dataDir: string): Promise<void> {
  for (const part of PARTS) {
    const from = join(dataDir, "restoring", part)
    if (await exists(from)) await rename(from, join(dataDir, part))
  }
  await syncFolder(dataDir)
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path)
  await folder.sync()
}
