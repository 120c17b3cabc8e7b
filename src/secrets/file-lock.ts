/**
 * Locks between programs that share a data folder, held by the kernel and gone with the process,
 * however it ends. They are SQLite's file locks (https://sqlite.org/lockingv3.html), the only
 * ones that Node has: the files stay empty, nothing is ever written to them.
 */

import { closeSync, openSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as sleep } from "node:timers/promises"
import { fileRemedy } from "../core/file-remedy.ts"
import { Problem } from "../core/problem.ts"

const SQLITE_BUSY = 5
const SQLITE_FULL = 13
const FULL = Object.assign(new Error("no space left"), { code: "ENOSPC" })
const RETRY_MS = 5

/** Taken together with other shared ones; `undefined` while somebody holds it exclusively. */
export function tryShared(path: string): Disposable | undefined {
  return attempt(path, "begin; select 1 from sqlite_schema")
}

/** @returns `undefined` while anybody else holds it in any way. */
export function tryExclusive(path: string): Disposable | undefined {
  return attempt(path, "begin exclusive")
}

/**
 * Waits for it.
 * @param doing - What who holds it does, for the message: "starting or stopping the database".
 * @throws Problem `DATA_FOLDER` after `timeoutMs`.
 */
export async function exclusive(
  path: string,
  timeoutMs: number,
  doing: string,
): Promise<Disposable> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const lock = tryExclusive(path)
    if (lock !== undefined) return lock
    if (performance.now() > end) {
      throw new Problem("DATA_FOLDER", {
        message: `Another program has been ${doing} for ${timeoutMs / 1000} s (${path}). Try again.`,
      })
    }
    await sleep(RETRY_MS * (1 + Math.random())) // two in step would keep each other out
  }
}

/** The lock lasts as long as the transaction, which ends with the connection. */
function attempt(path: string, begin: string): Disposable | undefined {
  let file: DatabaseSync | undefined
  try {
    file = new DatabaseSync(path, { timeout: 0 })
    file.exec(begin)
    return file
  } catch (cause) {
    file?.close()
    const code = cause instanceof Error && "errcode" in cause ? cause.errcode : undefined
    if (code === SQLITE_BUSY) return undefined
    const reason = code === SQLITE_FULL ? FULL : (obstacle(path) ?? cause)
    throw new Problem("DATA_FOLDER", {
      message: `${path} cannot be used as a lock. ${fileRemedy(reason)}.`,
      cause,
    })
  }
}

/** SQLite says little of why a file cannot be opened. */
function obstacle(path: string): unknown {
  try {
    closeSync(openSync(path, "a"))
    return undefined
  } catch (error) {
    return error
  }
}
