/**
 * The folder of backups: what files are called, which are kept.
 *
 *     zygentrust-2026-11-25T01-00-00Z.age   a backup, by the time it was begun
 *     tenant-keys.age                       tenants' seeds as they are now, one file for all of them
 */
import { readdir, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { Problem } from "../core/problem.ts"
import { codeOf, messageOf } from "../core/thrown.ts"
import { TEMPORARY } from "./writer.ts"

export const SEEDS_FILE = "tenant-keys.age"
const NAME = /^zygentrust-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.age$/
/** No backup takes longer: what is older was left by one that was killed. */
const ABANDONED_MS = 7 * 86_400_000

export function backupName(at: Date): string {
  return `zygentrust-${at.toISOString().slice(0, 19).replaceAll(":", "-")}Z.age`
}

/** @returns Names of the backups, the newest first. @throws Problem `BACKUP` */
export async function listBackups(folder: string): Promise<string[]> {
  return (await namesIn(folder))
    .filter((name) => NAME.test(name))
    .sort()
    .reverse()
}

/** Removes the oldest backups beyond `keep`, and what killed ones left. @returns What went. */
export async function pruneBackups(folder: string, keep: number, now: Date): Promise<string[]> {
  const gone = (await listBackups(folder)).slice(keep)
  for (const name of await namesIn(folder)) {
    if (!TEMPORARY.test(name)) continue
    const { mtimeMs } = await stat(join(folder, name)).catch(() => ({ mtimeMs: now.getTime() }))
    if (now.getTime() - mtimeMs > ABANDONED_MS) gone.push(name)
  }
  for (const name of gone) await rm(join(folder, name), { force: true })
  return gone
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (cause) {
    const what = codeOf(cause) === "ENOENT" ? "is not there: make it" : messageOf(cause)
    throw new Problem("BACKUP", { message: `The folder for backups ${folder} ${what}.`, cause })
  }
}
