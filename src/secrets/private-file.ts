/**
 * Files that nobody else may read, written whole or not at all.
 *
 * Invariant: what is read belongs to this user alone; a file has its old content or its new one,
 * synced, at any moment. Two writers at once are the caller's to keep apart.
 */
import { mkdir, open, rename, rm, stat } from "node:fs/promises"
import { dirname } from "node:path"
import { fileRemedy } from "../core/file-remedy.ts"
import { Problem } from "../core/problem.ts"
import { codeOf } from "../core/thrown.ts"

/**
 * Whose a file is: the program's own; one that somebody gave it (a container's secrets are root's);
 * or systemd's, which lets another user than root in by an access list that shows as group bits.
 */
export type Provenance = "own" | "given" | "systemd"

/**
 * @returns Undefined where there is no file.
 * @throws Problem `DATA_FOLDER`: others may read it, it is somebody else's, or cannot be read.
 */
export async function readPrivate(
  path: string,
  provenance: Provenance,
): Promise<Buffer | undefined> {
  try {
    await using file = await open(path)
    const found = await file.stat()
    if (!found.isFile()) throw new Error("that is no file")
    const { uid, mode } = found
    const me = process.getuid?.()
    if (uid !== me && !(provenance !== "own" && uid === 0)) {
      throw new Problem("DATA_FOLDER", {
        message: `${path} belongs to another user (uid ${uid}): run this as that user, or give the file to the user who runs this.`,
      })
    }
    if (uid === me && (mode & (provenance === "systemd" ? 0o007 : 0o077)) !== 0) {
      throw new Problem("DATA_FOLDER", {
        message: `${path} may be read by others (mode ${(mode & 0o777).toString(8)}): run 'chmod 600 ${path}', and if others could get at it, see docs/secrets.md.`,
      })
    }
    return await file.readFile()
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined
    throw unusable(path, cause)
  }
}

/** Makes the folder too (0700). @throws Problem `DATA_FOLDER`, with the old content left in place. */
export async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  const temporary = `${path}.new`
  try {
    await prepareFolder(dirname(path))
    await rm(temporary, { force: true }) // of a writer that was killed
    try {
      await using file = await open(temporary, "wx", 0o600)
      await file.writeFile(content)
      await file.sync()
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {})
      throw error
    }
    await using folder = await open(dirname(path))
    await folder.sync()
  } catch (cause) {
    throw unusable(path, cause)
  }
}

/** @throws Problem `DATA_FOLDER` where somebody else could put other files in place of these. */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(dirname(folder), { recursive: true })
    await mkdir(folder, { mode: 0o700 }).catch((error) => {
      if (codeOf(error) !== "EEXIST") throw error
    })
    const { uid, mode } = await stat(folder)
    if (uid === process.getuid?.() && (mode & 0o022) === 0) return
  } catch (cause) {
    throw unusable(folder, cause)
  }
  throw new Problem("DATA_FOLDER", {
    message: `${folder} must belong to the user who runs this, and nobody else may write there: run 'chmod 700 ${folder}' as its owner, or set ZT_DATA_DIR to a folder of your own.`,
  })
}

function unusable(path: string, cause: unknown): unknown {
  if (cause instanceof Problem) return cause
  return new Problem("DATA_FOLDER", {
    message: `Secrets cannot be kept in ${path}: ${fileRemedy(cause)}.`,
    cause,
  })
}
