/** Checks of the folder for backups: set, writable, apart from the data, and not empty for long. */
import { access, constants, stat } from "node:fs/promises"
import { join } from "node:path"
import { listBackups, SEEDS_FILE } from "../backup/folder.ts"
import type { Config } from "../config.ts"
import type { Diagnosis } from "./doctor-check.ts"
import { fail, ok, warn } from "./doctor-check.ts"

const CHECK = "backups"
const HOUR_MS = 3_600_000

type Settings = Pick<Config, "backupDir" | "backupEveryHours" | "dataDir">

export async function checkBackups(settings: Settings, now: Date): Promise<Diagnosis> {
  const { backupDir, backupEveryHours, dataDir } = settings
  if (backupDir === undefined) {
    const advice =
      "Set ZT_BACKUP_DIR to a folder on another disk: a running server then makes them by itself."
    return warn(CHECK, "not set up", advice)
  }
  const found = await stat(backupDir).catch(() => undefined)
  if (found === undefined || !found.isDirectory()) {
    return fail(CHECK, `${backupDir} is not a folder`, "Make it, or set ZT_BACKUP_DIR to another.")
  }
  const writable = await access(backupDir, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!writable) {
    const advice = "Change its owner, or set ZT_BACKUP_DIR to another."
    return fail(CHECK, `this user may not write in ${backupDir}`, advice)
  }
  const [newest] = await listBackups(backupDir)
  if (newest === undefined) {
    return warn(CHECK, `none in ${backupDir} yet`, "Run: bin/zygentrust backup")
  }
  const { mtimeMs } = await stat(join(backupDir, newest))
  const hours = Math.floor((now.getTime() - mtimeMs) / HOUR_MS)
  if (hours > 2 * backupEveryHours) {
    const advice = "A running server makes one when it is due; its log and /v1/health say why not."
    return warn(CHECK, `the newest, ${newest}, is ${hours} hours old`, advice)
  }
  const seeds = await stat(join(backupDir, SEEDS_FILE)).catch(() => undefined)
  if (seeds === undefined) {
    const advice = "Without it no backup restores. Run: bin/zygentrust backup"
    return fail(CHECK, `${SEEDS_FILE} is not in ${backupDir}`, advice)
  }
  const data = await stat(dataDir).catch(() => undefined)
  if (data !== undefined && data.dev === found.dev) {
    const advice = "A disk that dies takes both: set ZT_BACKUP_DIR to a folder on another."
    return warn(CHECK, `${newest} is good, on the same disk as the data`, advice)
  }
  return ok(CHECK, `the newest is ${newest}`)
}
