/**
 * The PostgreSQL that the program brings along, in its data folder, on a Unix socket only.
 *
 * Owns: who starts it and who stops it. Several programs may share a folder: whoever needs the
 * server starts or adopts it, the last one out stops it.
 * Invariant: starting and stopping happen under one lock; a program that ends in any way stops
 * counting as a user at that moment.
 */

import { Problem } from "../../core/problem.ts"
import { exclusive, tryExclusive, tryShared } from "../../secrets/file-lock.ts"
import type { SecretStore } from "../../secrets/store.ts"
import type { Address, Credentials } from "../connection.ts"
import { storedCredentials } from "../connection.ts"
import { randomPassword } from "../password.ts"
import { findBinaries } from "./binaries.ts"
import { checkCluster, prepareFolder, socketFolder } from "./folder.ts"
import { initialise, removeWorkshops, SUPERUSER } from "./initialise.ts"
import { settledPostmaster, startPostmaster, stopPostmaster } from "./postmaster.ts"

export interface EmbeddedServer {
  readonly address: (database: string) => Address
  /** The cluster was made by opening. */
  readonly fresh: boolean
  /** For bootstrap and upgrades alone. */
  readonly superuser: Credentials
  /** Does what one program at a time may do. */
  locked<T>(work: () => Promise<T>): Promise<T>
  /** Starts the server again if it is gone. */
  ensureRunning(): Promise<void>
  /** Stops the server, unless another program uses it. */
  close(): Promise<void>
}

/** Longer than any start or stop that holds it. */
const LOCK_TIMEOUT_MS = 100_000

/**
 * Makes the cluster if there is none, and starts or adopts its server.
 * @param packageName - The npm package that holds the binaries.
 * @throws Problem `PLATFORM` or `DATA_FOLDER`, which say what to do.
 */
export async function openEmbedded(
  dataDir: string,
  secrets: SecretStore,
  packageName: string,
): Promise<EmbeddedServer> {
  const binaries = await findBinaries(packageName)
  const folder = await prepareFolder(dataDir)
  let fresh = false
  let left = false
  let user: Disposable | undefined
  const locked = async <T>(work: () => Promise<T>): Promise<T> => {
    using _lock = await exclusive(folder.lock, LOCK_TIMEOUT_MS, "starting or stopping the database")
    return await work()
  }
  const ensureRunning = async () => {
    if (left) return
    user ??= tryShared(folder.users)
    await removeWorkshops(folder)
    if (!(await checkCluster(folder, binaries.major))) {
      const password = await secrets.getOrCreate("superuser-password", randomPassword)
      await initialise(folder, binaries, password)
      fresh = true
    }
    if ((await settledPostmaster(folder)) === undefined) await startPostmaster(folder, binaries)
  }
  const leave = async () => {
    left = true
    user?.[Symbol.dispose]()
    using last = tryExclusive(folder.users)
    if (last !== undefined) await stopPostmaster(folder)
  }
  try {
    await locked(ensureRunning)
    const password = await secrets.get("superuser-password")
    if (password === undefined) {
      throw new Problem("DATA_FOLDER", {
        message: `${dataDir} has a database but not its secrets: put back the file secrets.age that belongs to it.`,
      })
    }
    const socket = socketFolder(folder)
    return {
      address: (database) => ({ socketFolder: socket.path, database }),
      fresh,
      superuser: storedCredentials(secrets, SUPERUSER, "superuser-password", password),
      locked,
      ensureRunning: () => locked(ensureRunning),
      async close() {
        await locked(leave)
        socket[Symbol.dispose]()
      },
    }
  } catch (error) {
    await locked(leave)
    throw error
  }
}
