/**
 * The server process of a data folder: is it there, start it, stop it.
 *
 * Owns: what `data/postmaster.pid` means. Not: who may start and stop when (embedded.ts holds the
 * lock around every function here).
 */
import { closeSync, openSync } from "node:fs"
import { readdir, readFile, rename, rm, stat } from "node:fs/promises"
import { join, relative } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { Problem } from "../../core/problem.ts"
import type { Binaries } from "./binaries.ts"
import type { Folder } from "./folder.ts"
import { outputProblem, SOCKET_NAME } from "./folder.ts"
import { platformProblem, startFailure, startProgram } from "./programs.ts"

export interface Postmaster {
  readonly pid: number
  readonly status: "starting" | "ready" | "stopping"
}

const POLL_MS = 5
const START_TIMEOUT_MS = 60_000
const FAST_STOP_MS = 5_000
const STOP_TIMEOUT_MS = 30_000
/** A server writes its number right after it has made the file for it. */
const NUMBER_MS = 500
const MAX_LOG_BYTES = 10 * 1024 * 1024

/** What a folder's own postgresql.conf cannot change. Tuning belongs there. */
const SETTINGS = {
  listen_addresses: "",
  unix_socket_permissions: "0600",
  port: "5432",
  logging_collector: "off",
  log_min_messages: "log", // errors of statements quote values; they go to the client alone
  log_min_error_statement: "panic", // statements carry values
  log_error_verbosity: "terse", // details carry keys
  log_checkpoints: "off",
  jit: "off",
  max_locks_per_transaction: "256", // usage has a partition a day, and some statements look at all
  max_logical_replication_workers: "0",
}

/** PostgreSQL 18 starts three processes for reading ahead, of no use to small data. */
const SETTINGS_18 = { io_method: "sync" }

/** @returns The server that runs on the folder, whoever started it. */
export async function findPostmaster(folder: Folder): Promise<Postmaster | undefined> {
  const { pid, status } = await readPidFile(folder)
  return (await processIs(pid, folder)) === "server" ? { pid, status } : undefined
}

async function readPidFile(folder: Folder): Promise<Postmaster> {
  const file = await readFile(join(folder.data, "postmaster.pid"), "utf8").catch(() => "")
  const lines = file.split("\n")
  const status = lines[7]?.trim()
  return {
    pid: Number(lines[0]),
    status: status === "ready" || status === "stopping" ? status : "starting",
  }
}

/**
 * A server's working folder is its data. A process number may be anybody's by now, or that of a
 * dead process whose parent has not asked for it yet, which has no working folder any more.
 */
async function processIs(pid: number, folder: Folder): Promise<"server" | "stranger" | "gone"> {
  if (!(pid > 0)) return "gone"
  try {
    process.kill(pid, 0)
  } catch {
    return "gone"
  }
  if (process.platform !== "linux") return "server"
  const [data, cwd] = await Promise.all([
    stat(folder.data),
    stat(`/proc/${pid}/cwd`).catch(() => undefined),
  ])
  return data.dev === cwd?.dev && data.ino === cwd.ino ? "server" : "stranger"
}

/**
 * Starts the server and waits until it takes connections.
 * @throws Problem `DATA_FOLDER`, `PLATFORM`
 */
export async function startPostmaster(folder: Folder, binaries: Binaries): Promise<void> {
  const end = performance.now() + START_TIMEOUT_MS
  for (;;) {
    const ended = await attempt(folder, binaries, end)
    if (ended === undefined) return
    if (!PASSING.test(ended.output)) {
      throw platformProblem(ended.output) ?? outputProblem(folder.data, ended.output)
    }
    await sleep(50)
    if ((await settledPostmaster(folder)) !== undefined) return
  }
}

/**
 * Children of a server that was killed are still on their way out; or a program was killed just
 * after it had started a server, which nobody could see yet.
 */
const PASSING = /pre-existing shared memory block|lock file "postmaster.pid" already exists/

/** @returns What the server said when it ended without getting ready. */
async function attempt(
  folder: Folder,
  { postgres, major }: Binaries,
  end: number,
): Promise<{ output: string } | undefined> {
  await removeStaleLocks(folder)
  const settings = {
    ...SETTINGS,
    ...(major >= 18 ? SETTINGS_18 : {}),
    unix_socket_directories: relative(folder.data, folder.run), // of any length, and moves along
  }
  const logStart = await rotateLog(folder)
  const log = openSync(folder.log, "a", 0o600)
  const child = startProgram(
    postgres,
    ["-D", folder.data, ...Object.entries(settings).flatMap(([k, v]) => ["-c", `${k}=${v}`])],
    ["ignore", log, log],
  )
  closeSync(log)
  child.unref()
  let failure: Problem | undefined
  child.on("error", (cause) => {
    failure = startFailure(postgres, cause)
  })
  while (performance.now() < end) {
    if (failure !== undefined) throw failure
    if (child.exitCode !== null || child.signalCode !== null) {
      return { output: (await readFile(folder.log)).subarray(logStart).toString() }
    }
    const found = await findPostmaster(folder)
    if (found?.pid === child.pid && found?.status === "ready") return undefined
    await sleep(POLL_MS)
  }
  throw notReady(folder)
}

/** PostgreSQL removes what a dead server left, but takes any living process for that server. */
async function removeStaleLocks(folder: Folder): Promise<void> {
  let { pid } = await readPidFile(folder)
  if (!(pid > 0)) {
    const file = await stat(join(folder.data, "postmaster.pid")).catch(() => undefined)
    if (file !== undefined) await sleep(NUMBER_MS)
    pid = (await readPidFile(folder)).pid
  }
  const found = await processIs(pid, folder)
  if (found === "server") return
  // A server that died before it had written its number leaves a file that the next one refuses.
  if (found === "stranger" || !(pid > 0))
    await rm(join(folder.data, "postmaster.pid"), { force: true })
  for (const name of await readdir(folder.run)) await rm(join(folder.run, name))
}

/**
 * Waits until a server that somebody else started or stops is ready or gone. One whose socket was
 * removed can never be reached again: it is stopped.
 */
export async function settledPostmaster(folder: Folder): Promise<Postmaster | undefined> {
  const end = performance.now() + START_TIMEOUT_MS
  for (;;) {
    const found = await findPostmaster(folder)
    if (found === undefined) return undefined
    if (found.status === "ready") {
      if ((await readdir(folder.run)).includes(SOCKET_NAME)) return found
      await stopPostmaster(folder)
    }
    if (performance.now() > end) throw notReady(folder)
    await sleep(POLL_MS)
  }
}

/**
 * Stops the server; what is committed is on disk. Connections are cut (a "fast" shutdown). Asked
 * while it recovers from the death of one of its processes, PostgreSQL 18 may wait for ever; then
 * it is told to drop everything, and the next start recovers.
 */
export async function stopPostmaster(folder: Folder): Promise<void> {
  for (const [signal, patienceMs] of [
    ["SIGINT", FAST_STOP_MS],
    ["SIGQUIT", STOP_TIMEOUT_MS - FAST_STOP_MS],
  ] as const) {
    const found = await findPostmaster(folder)
    if (found === undefined) return
    process.kill(found.pid, signal)
    const end = performance.now() + patienceMs
    while ((await findPostmaster(folder)) !== undefined && performance.now() < end) {
      await sleep(POLL_MS)
    }
  }
}

/** @returns Where the log ends now. */
async function rotateLog({ log }: Folder): Promise<number> {
  const { size } = await stat(log).catch(() => ({ size: 0 }))
  if (size < MAX_LOG_BYTES) return size
  await rename(log, `${log}.old`)
  return 0
}

function notReady(folder: Folder): Problem {
  return new Problem("DATA_FOLDER", {
    message: `The database in ${folder.data} is still not ready after ${START_TIMEOUT_MS / 1000} s; ${folder.log} says why. Start again to go on waiting.`,
  })
}
