/**
 * Checks of the database: is there one, does it run, does it answer, is it up to date.
 * Nothing is started; what has never been started is no failure.
 */
import { access, constants, readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Config } from "../config.ts"
import { Problem } from "../core/problem.ts"
import { readDatabaseUrl } from "../db/address.ts"
import type { Address } from "../db/connection.ts"
import { credentials, runStatement, withClient } from "../db/connection.ts"
import { platformPackage } from "../db/embedded/binaries.ts"
import { checkCluster, checkFiles, folderOf, socketFolder } from "../db/embedded/folder.ts"
import { findPostmaster } from "../db/embedded/postmaster.ts"
import { checkOwn, EMBEDDED_DATABASE, readStandby } from "../db/setup.ts"
import { STANDBY_WORDS } from "../db/standby.ts"
import { ROOT } from "../settings.ts"
import { READ_DAYS_AHEAD, tooFewAhead } from "../usage/partitions.ts"
import type { Diagnosis } from "./doctor-check.ts"
import { fail, ok, warn } from "./doctor-check.ts"
import { openSecrets } from "./open-secrets.ts"

const CHECK = "database"

export async function checkDatabase(config: Config): Promise<Diagnosis> {
  try {
    return config.databaseUrl === undefined
      ? await checkEmbedded(config)
      : await askOwn(config, config.databaseUrl)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return fail(CHECK, error.message, "")
  }
}

async function askOwn(config: Config, databaseUrl: string): Promise<Diagnosis> {
  const { address, database } = readDatabaseUrl(databaseUrl)
  return ask(config, address(database), `'${database}' of ZT_DATABASE_URL`)
}

/** @returns What a failover would lose; nothing where the database says nothing. */
export async function checkStandby(config: Config): Promise<Diagnosis[]> {
  const check = "standby"
  if (config.databaseUrl === undefined) return []
  const { address, database } = readDatabaseUrl(config.databaseUrl)
  try {
    const standby = await readStandby(address(database), openSecrets(config))
    const { message, advice } = STANDBY_WORDS[standby]
    if (advice !== undefined) return [warn(check, message, advice)]
    const backups = standby === "none" ? ": what is left after a loss of its disk is a backup" : ""
    return [ok(check, `${message}${backups}`)]
  } catch (error) {
    if (error instanceof Problem) return [] // said by the check of the database
    throw error
  }
}

async function checkEmbedded(config: Config): Promise<Diagnosis> {
  const root = join(ROOT, "node_modules", platformPackage())
  try {
    await access(join(root, "native/bin/postgres"), constants.X_OK)
  } catch {
    return fail(
      CHECK,
      `the embedded PostgreSQL (${platformPackage()}) is not there`,
      "Run 'npm ci' without --omit=optional, or set ZT_DATABASE_URL.",
    )
  }
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
  const folder = folderOf(config.dataDir)
  if (!(await checkCluster(folder, Number.parseInt(version, 10)))) {
    return ok(CHECK, "the embedded one, made by the first start")
  }
  const postmaster = await findPostmaster(folder)
  if (postmaster === undefined) await checkFiles(folder)
  if (postmaster?.status !== "ready") {
    return ok(
      CHECK,
      `the embedded one, ${postmaster?.status ?? "not running: the start starts it"}`,
    )
  }
  if ((await openSecrets(config).get("zt_migrate-password")) === undefined) {
    return warn(
      CHECK,
      "the embedded one runs, but cannot be asked without the secret 'zt_migrate-password'",
      "The next start makes another.",
    )
  }
  using socket = socketFolder(folder)
  const address = { socketFolder: socket.path, database: EMBEDDED_DATABASE }
  return await ask(config, address, "the embedded one")
}

/** Logs in as a start would. @throws Problem that says what is missing. */
async function ask(config: Config, address: Address, which: string): Promise<Diagnosis> {
  const secrets = openSecrets(config)
  const { version } = await checkOwn(address, secrets)
  const days = await withClient(
    address,
    await credentials(secrets, "zt_migrate"),
    async (client) => (await runStatement<{ days: number }>(client, READ_DAYS_AHEAD)).rows[0]?.days,
  )
  const tooFew = tooFewAhead(days ?? -1)
  return tooFew === undefined
    ? ok(
        CHECK,
        `${which}, PostgreSQL ${version}: it answers and is up to date, usage has partitions for ${days} days ahead`,
      )
    : warn(
        CHECK,
        tooFew,
        "A start makes them, and a running server every 5 minutes: if one runs, its log has the cause.",
      )
}
