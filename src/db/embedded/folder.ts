/**
 * The embedded server's part of the data folder, and what can be wrong with it.
 *
 *     postgres/data     the cluster, made whole elsewhere and renamed to this
 *     postgres/run      the socket
 *     postgres/log      what the server says
 *     postgres/lock     held while starting and stopping
 *     postgres/users    held, shared, by every program that uses the server
 *
 * Invariant: nothing that is there is ever overwritten.
 */
import { closeSync, constants, openSync } from "node:fs"
import { access, lstat, mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileRemedy } from "../../core/file-remedy.ts"
import { Problem } from "../../core/problem.ts"
import { codeOf } from "../../core/thrown.ts"
import { isControlFile } from "./control-file.ts"

export interface Folder {
  readonly root: string
  readonly data: string
  readonly run: string
  readonly log: string
  readonly lock: string
  readonly users: string
}

/** A Unix socket's path must fit into 108 bytes with its end; macOS has 104. */
const MAX_SOCKET_PATH = 103
export const SOCKET_NAME = ".s.PGSQL.5432"
const PROBE_BYTES = 64 * 1024

/** @returns Where everything lies under a data folder, whether it is there or not. */
export function folderOf(dataDir: string): Folder {
  const root = join(dataDir, "postgres")
  return {
    root,
    data: join(root, "data"),
    run: join(root, "run"),
    log: join(root, "log"),
    lock: join(root, "lock"),
    users: join(root, "users"),
  }
}

/**
 * Makes the folders and tries a write, so that what stands in the way is said by its name.
 * @throws Problem `DATA_FOLDER`
 */
export async function prepareFolder(dataDir: string): Promise<Folder> {
  const folder = folderOf(dataDir)
  try {
    await mkdir(dirname(dataDir), { recursive: true })
    for (const path of [dataDir, folder.root, folder.run]) {
      await makeFolder(path)
      await checkOwner(path)
    }
    await probe(join(folder.root, `.probe-${process.pid}`))
  } catch (cause) {
    throw cause instanceof Problem ? cause : folderProblem(dataDir, cause)
  }
  return folder
}

/** Not `recursive`, which calls a read-only file system ENOENT. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (codeOf(error) !== "EEXIST" || !(await stat(path)).isDirectory()) throw error
  }
}

async function checkOwner(path: string): Promise<void> {
  const { uid } = await stat(path)
  if (uid === process.getuid?.()) return
  throw new Problem("DATA_FOLDER", {
    message: `${path} belongs to another user (uid ${uid}). Run this as that user, or set ZT_DATA_DIR to a folder of your own.`,
  })
}

async function probe(path: string): Promise<void> {
  try {
    await using handle = await open(path, "w", 0o600)
    await handle.writeFile(Buffer.alloc(PROBE_BYTES))
    await handle.sync()
  } finally {
    await rm(path, { force: true })
  }
}

/** @returns What a failed file operation means, and what to do. */
export function folderProblem(path: string, cause: unknown): Problem {
  return new Problem("DATA_FOLDER", {
    message: `The data folder ${path} cannot be used. ${fileRemedy(cause)}. Nothing in it was overwritten.`,
    cause,
  })
}

/** What the server says of files that are missing, or hold what it never wrote. */
const DAMAGED =
  /PANIC: |control file|pg_control|checksum|checkpoint record|incompatible with server|required WAL|could not (?:open|read) (?:file|directory)/

const SYSTEM_MESSAGES: Readonly<Record<string, string>> = {
  "No space left on device": "ENOSPC",
  "Disk quota exceeded": "EDQUOT",
  "wrote only": "ENOSPC", // a page that fitted in part, which has no errno
  "File too large": "EFBIG",
  "Read-only file system": "EROFS",
  "Permission denied": "EACCES",
}

/** @param output - Of a PostgreSQL program that failed. @returns What that means, and what to do. */
export function outputProblem(path: string, output: string): Problem {
  const line = /^.*(?:error|FATAL|PANIC): .*$/m.exec(output)?.[0] ?? output.trim().slice(0, 300)
  const found = Object.entries(SYSTEM_MESSAGES).find(([message]) => output.includes(message))
  const error = new Error(`PostgreSQL says: ${line}`)
  if (found === undefined && DAMAGED.test(line)) {
    return new Problem("DATA_FOLDER", {
      message: `The database files in ${path} are damaged (${error.message}). Restore a backup of the data folder, or move it away to start anew. Nothing in it was overwritten.`,
      cause: error,
    })
  }
  return folderProblem(path, found === undefined ? error : Object.assign(error, { code: found[1] }))
}

/**
 * Looks at the cluster before the server does.
 * @returns False where there is none yet.
 * @throws Problem `DATA_FOLDER`: of another major version, or not whole.
 */
export async function checkCluster(folder: Folder, major: number): Promise<boolean> {
  try {
    await lstat(folder.data)
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return false
    throw folderProblem(folder.data, cause)
  }
  const version = await readFile(join(folder.data, "PG_VERSION"), "utf8").catch(() => "")
  const found = /^(\d{2})\n/.exec(version)?.[1]
  if (found === undefined) throw corrupt(folder, "PG_VERSION is missing or damaged")
  if (Number(found) !== major) {
    throw new Problem("DATA_FOLDER", {
      message: `${folder.data} was made by PostgreSQL ${found}, and this program brings ${major}. Use the release of zygentrust it was made with, or set ZT_DATA_DIR to a new folder. Nothing in it was changed.`,
    })
  }
  await access(join(folder.data, "global/pg_control"), constants.R_OK).catch(() => {
    throw corrupt(folder, "global/pg_control is missing")
  })
  return true
}

/** Files and folders without which no server starts. */
const NEEDED = ["base/1", "pg_multixact", "pg_wal", "pg_xact"]
const WAL_SEGMENT = /^[0-9A-F]{24}$/

/**
 * Looks deeper at a cluster whose server is not running; one that runs rewrites its control file.
 * @throws Problem `DATA_FOLDER`
 */
export async function checkFiles(folder: Folder): Promise<void> {
  for (const name of NEEDED) {
    await access(join(folder.data, name)).catch(() => {
      throw corrupt(folder, `'${name}' is missing`)
    })
  }
  const log = await readdir(join(folder.data, "pg_wal"))
  if (!log.some((name) => WAL_SEGMENT.test(name))) throw corrupt(folder, "'pg_wal' is empty")
  if (!isControlFile(await readFile(join(folder.data, "global/pg_control")))) {
    throw corrupt(folder, "global/pg_control is damaged")
  }
}

/** @param reason - What is wrong, as a clause. */
function corrupt(folder: Folder, reason: string): Problem {
  return new Problem("DATA_FOLDER", {
    message: `The database in ${folder.data} is damaged: ${reason}. Restore the data folder from a backup, or set ZT_DATA_DIR to a new folder. Nothing in it was changed.`,
  })
}

export interface SocketFolder extends Disposable {
  readonly path: string
}

/**
 * A path of the socket's folder that is short enough to connect by. Where the real one is too
 * long, Linux offers a short one through an open descriptor.
 * @throws Problem `DATA_FOLDER` where it is too long and this is not Linux.
 */
export function socketFolder({ run }: Folder): SocketFolder {
  if (Buffer.byteLength(join(run, SOCKET_NAME)) <= MAX_SOCKET_PATH) {
    return { path: run, [Symbol.dispose]() {} }
  }
  if (process.platform !== "linux") {
    throw new Problem("DATA_FOLDER", {
      message: `The path ${run} is too long for a Unix socket: set ZT_DATA_DIR to a shorter one.`,
    })
  }
  const descriptor = openSync(run, constants.O_RDONLY | constants.O_DIRECTORY)
  return { path: `/proc/self/fd/${descriptor}`, [Symbol.dispose]: () => closeSync(descriptor) }
}
