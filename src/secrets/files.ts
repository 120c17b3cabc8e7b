/**
 * The secret store of this stage: one file a secret in `<data folder>/secrets/`, 0700 and 0600.
 *
 * Invariant: a file is a whole, synced value or absent, and `getOrCreate` never replaces one.
 */
import { randomUUID } from "node:crypto"
import { link, lstat, mkdir, open, readFile, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { Problem } from "../core/problem.ts"
import { codeOf, messageOf } from "../core/thrown.ts"
import type { SecretName, SecretStore } from "./store.ts"
import { SECRET_NAMES } from "./store.ts"

/**
 * Makes the folder when it is needed.
 * @throws Problem `DATA_FOLDER` when the folder is somebody else's, or cannot be read or written,
 *   or a file in it is empty.
 */
export function fileSecrets(dataDir: string): SecretStore {
  const folder = join(dataDir, "secrets")
  const path = (name: SecretName) => {
    if (!SECRET_NAMES.includes(name)) throw new TypeError(`${name} is not a secret's name`)
    return join(folder, name)
  }

  async function get(name: SecretName): Promise<string | undefined> {
    let value: string
    try {
      value = await readFile(path(name), "utf8")
    } catch (cause) {
      if (codeOf(cause) === "ENOENT") return undefined
      throw unusable(folder, cause)
    }
    if (value.trim() !== "") return value
    throw new Problem("DATA_FOLDER", {
      message: `${path(name)} is empty: restore it from a backup of the data folder. Without one, remove it: what can be made anew is made by the next start.`,
    })
  }

  /** Writes a new file beside the secrets and hands it to `place`, which gives it its name. */
  async function write(value: string, place: (file: string) => Promise<void>): Promise<void> {
    try {
      await prepare(folder)
      const file = join(folder, `.${randomUUID()}`)
      try {
        await using handle = await open(file, "wx", 0o600)
        await handle.writeFile(value)
        await handle.sync()
        await place(file)
      } finally {
        await rm(file, { force: true })
      }
      await using directory = await open(folder)
      await directory.sync()
    } catch (cause) {
      throw unusable(folder, cause)
    }
  }

  return {
    get,
    async getOrCreate(name, make) {
      const found = await get(name)
      if (found !== undefined) return found
      const made = await make()
      let value: string | undefined = made
      await write(made, async (file) => {
        try {
          await link(file, path(name)) // fails where a name exists, unlike rename
        } catch (cause) {
          if (codeOf(cause) !== "EEXIST") throw cause
          value = await get(name)
        }
      })
      return value ?? made
    },
    async generations(name) {
      const value = await get(name)
      return value === undefined ? [] : [{ number: 1, value }]
    },
    set: (name, value) => write(value, (file) => rename(file, path(name))),
  }
}

async function prepare(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { uid, mode } = await lstat(folder)
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) {
    throw new Problem("DATA_FOLDER", {
      message: `${folder} must belong to the user who runs this, with mode 0700: others could read the secrets.`,
    })
  }
}

function unusable(folder: string, cause: unknown): unknown {
  if (cause instanceof Problem || cause instanceof TypeError) return cause
  return new Problem("DATA_FOLDER", {
    message: `Secrets cannot be kept in ${folder}: ${messageOf(cause)}`,
    cause,
  })
}
