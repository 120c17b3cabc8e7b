/**
 * A data folder within the data folder, with a server of its own: where a backup is restored before
 * it counts, and where drills are.
 *
 * Invariant: it goes when the work ends; of one that was killed, the next removes what is left, its
 * server first.
 */
import { lstat, mkdir, rm, rmdir } from "node:fs/promises"
import { dirname, join } from "node:path"
import { Problem } from "../core/problem.ts"
import { codeOf } from "../core/thrown.ts"
import { platformPackage } from "../db/embedded/binaries.ts"
import type { EmbeddedServer } from "../db/embedded/embedded.ts"
import { openEmbedded } from "../db/embedded/embedded.ts"
import { folderOf, folderProblem } from "../db/embedded/folder.ts"
import { stopPostmaster } from "../db/embedded/postmaster.ts"
import { bootstrapEmbedded } from "../db/setup.ts"
import { tryExclusive } from "../secrets/file-lock.ts"
import type { SecretStore } from "../secrets/store.ts"

export type ScratchName = "restoring" | "drill"

/**
 * @param work - Given the scratch folder, empty.
 * @throws Problem `BACKUP` while another program is at the same; `DATA_FOLDER`
 */
export async function withScratch<T>(
  dataDir: string,
  name: ScratchName,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = join(dataDir, name)
  let made: string | undefined
  try {
    made = await mkdir(dataDir, { recursive: true, mode: 0o700 })
    await removeScratch(dataDir, name)
    await mkdir(folder, { mode: 0o700 })
  } catch (cause) {
    throw cause instanceof Problem ? cause : folderProblem(dataDir, cause)
  }
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 10 })
    if (made !== undefined) await removeEmpty(dataDir, dirname(made))
  }
}

/** Removes what one that was killed left. @throws Problem `BACKUP` where it is at work. */
export async function removeScratch(dataDir: string, name: ScratchName): Promise<void> {
  const folder = join(dataDir, name)
  if (!(await exists(folder))) return
  const postgres = folderOf(folder)
  if (await exists(postgres.users)) {
    using alone = tryExclusive(postgres.users)
    if (alone === undefined) {
      throw new Problem("BACKUP", {
        message: `Another program is at work in ${folder}: wait until it is done, then try again.`,
      })
    }
    await stopPostmaster(postgres)
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 10 })
}

/** Runs an embedded server with the program's roles and no tables in a scratch folder. @throws Problem */
export async function withScratchServer<T>(
  folder: string,
  secrets: SecretStore,
  work: (server: EmbeddedServer) => Promise<T>,
): Promise<T> {
  const server = await openEmbedded(folder, secrets, platformPackage())
  try {
    await bootstrapEmbedded(server, secrets)
    return await work(server)
  } finally {
    await server.close()
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (cause) {
    if (codeOf(cause) === "ENOENT" || codeOf(cause) === "ENOTDIR") return false
    throw folderProblem(path, cause)
  }
}

/** Folders that were made for this and hold nothing, up to the one that was there before. */
async function removeEmpty(from: string, to: string): Promise<void> {
  for (let at = from; at !== to && at !== dirname(at); at = dirname(at)) {
    const removed = await rmdir(at).then(
      () => true,
      () => false,
    )
    if (!removed) return
  }
}
