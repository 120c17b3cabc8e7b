/**
 * Makes the cluster of a new data folder.
 *
 * Invariant: it is made under another name, synced, and renamed when it is whole, so that an
 * interruption at any point leaves either no cluster or a complete one.
 */
import { randomUUID } from "node:crypto"
import { mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { Problem } from "../../core/problem.ts"
import type { Binaries } from "./binaries.ts"
import type { Folder } from "./folder.ts"
import { folderProblem, outputProblem } from "./folder.ts"
import { platformProblem, startFailure, startProgram } from "./programs.ts"

export const SUPERUSER = "postgres"

/** PostgreSQL 17 brought a locale that is the same on every machine. */
const FIRST_WITH_BUILTIN_LOCALE = 17

/**
 * Must be called with the folder's lock held.
 * @throws Problem `DATA_FOLDER` or `PLATFORM`; what was half made is removed.
 */
export async function initialise(
  folder: Folder,
  binaries: Binaries,
  superuserPassword: string,
): Promise<void> {
  const workshop = join(folder.root, `new-${randomUUID()}`)
  const passwordFile = join(workshop, "password")
  const cluster = join(workshop, "data")
  try {
    await mkdir(workshop, { mode: 0o700 })
    await writeFile(passwordFile, superuserPassword, { mode: 0o600 })
    await runInitdb(folder, binaries, [
      `--pgdata=${cluster}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      ...(binaries.major >= FIRST_WITH_BUILTIN_LOCALE
        ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        : []),
      "--data-checksums",
      "--no-instructions",
    ])
    await rename(cluster, folder.data)
    await using root = await open(folder.root)
    await root.sync()
  } catch (cause) {
    throw cause instanceof Problem ? cause : folderProblem(folder.root, cause)
  } finally {
    await rm(workshop, { recursive: true, force: true })
  }
}

/** Removes what interruptions left. With the folder's lock held; an initdb may still be writing. */
export async function removeWorkshops(folder: Folder): Promise<void> {
  for (const name of await readdir(folder.root)) {
    if (!name.startsWith("new-")) continue
    await rm(join(folder.root, name), { recursive: true, force: true, maxRetries: 10 })
  }
}

async function runInitdb(folder: Folder, { initdb }: Binaries, args: string[]): Promise<void> {
  const child = startProgram(initdb, args, ["ignore", "ignore", "pipe"])
  const exit = new Promise<number | null>((resolve, reject) => {
    child.on("error", (cause) => reject(startFailure(initdb, cause)))
    child.on("close", resolve)
  })
  const [code, output] = await Promise.all([exit, child.stderr ? text(child.stderr) : ""])
  if (code !== 0) throw platformProblem(output) ?? outputProblem(folder.root, output)
}
