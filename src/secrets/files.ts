/**
 * The secret store: `<data folder>/secrets.age`, one document (document.ts) encrypted with age
 * (https://age-encryption.org/v1) to the identity's recipient, so that `age -d` opens it too.
 *
 * Owns: reading, changing and watching the file. Not: where the identity is (identity.ts).
 * Invariant: changes happen under a lock (`secrets.lock`) that the programs of a folder share, on
 * what the file holds at that moment; the file is whole at any moment.
 */
import { stat } from "node:fs/promises"
import { join } from "node:path"
import { Problem } from "../core/problem.ts"
import { codeOf, messageOf } from "../core/thrown.ts"
import type { Secrets } from "./document.ts"
import {
  nextGeneration,
  parseDocument,
  serialiseDocument,
  withGeneration,
  withGenerations,
} from "./document.ts"
import { exclusive } from "./file-lock.ts"
import type { IdentitySource } from "./identity.ts"
import { makeIdentity, readIdentity } from "./identity.ts"
import { prepareFolder, readPrivate, writeWhole } from "./private-file.ts"
import type { SecretName, SecretStore } from "./store.ts"
import { SECRET_NAMES } from "./store.ts"

const LOCK_TIMEOUT_MS = 30_000
const LOOK_MS = 1_000
const MAGIC = "age-encryption.org/v1\n"

interface Held {
  /** Of the file that was read: another after every change. */
  readonly mark: string
  readonly secrets: Secrets
}

type Change = (secrets: Secrets) => Secrets | Promise<Secrets>

/** The folder and an identity are made when something is to be kept. */
export function fileSecrets(dataDir: string, source: IdentitySource = {}): SecretStore {
  const file = join(dataDir, "secrets.age")
  const lock = join(dataDir, "secrets.lock")
  let held: Held = { mark: "", secrets: new Map() }
  let identity: Promise<string> | undefined

  /** @param make - Also make one where there is none; with the lock held. */
  function ownIdentity(make = false): Promise<string> {
    identity ??= readIdentity(dataDir, source).then(async (found) => {
      if (found !== undefined) return found.identity
      if (make && (await markOf(file)) === "") return makeIdentity(dataDir)
      throw new Problem("DATA_FOLDER", {
        message: `The identity that opens ${file} is not there: put identity.txt back beside it, or name it in ZT_IDENTITY_FILE.`,
      })
    })
    identity.catch(() => {
      identity = undefined // another try may find it
    })
    return identity
  }

  async function read(): Promise<Secrets> {
    const mark = await markOf(file)
    if (mark === held.mark) return held.secrets
    const bytes = mark === "" ? undefined : await readPrivate(file, "own")
    const secrets =
      bytes === undefined ? new Map() : parseDocument(await open(bytes, await ownIdentity()), file)
    held = { mark, secrets }
    return secrets
  }

  async function open(bytes: Buffer, key: string): Promise<string> {
    if (bytes.subarray(0, MAGIC.length).toString("latin1") !== MAGIC) {
      throw damaged(file, "it does not begin as an age file does")
    }
    const { Decrypter } = await import("age-encryption")
    const decrypter = new Decrypter()
    decrypter.addIdentity(key)
    try {
      return await decrypter.decrypt(bytes, "text")
    } catch (cause) {
      if (!/no identity matched/.test(messageOf(cause))) throw damaged(file, messageOf(cause))
      throw new Problem("DATA_FOLDER", {
        message: `The identity does not open ${file}: it belongs to another store, or the file's first lines are damaged. Put back the identity and the file that belong together. Nothing was changed.`,
      })
    }
  }

  async function write(secrets: Secrets): Promise<void> {
    const [{ Encrypter, identityToRecipient }, key] = await Promise.all([
      import("age-encryption"),
      ownIdentity(true),
    ])
    const encrypter = new Encrypter()
    encrypter.addRecipient(await identityToRecipient(key))
    await writeWhole(file, await encrypter.encrypt(serialiseDocument(secrets)))
    held = { mark: await markOf(file), secrets }
  }

  /** One change of this program at a time, on what is there then. */
  let last: Promise<unknown> = Promise.resolve()
  function change(apply: Change): Promise<Secrets> {
    const next = last.then(async () => {
      await prepareFolder(dataDir)
      using _lock = await exclusive(lock, LOCK_TIMEOUT_MS, "changing secrets")
      const before = await read()
      const after = await apply(before)
      if (after !== before) await write(after)
      return after
    })
    last = next.catch(() => {})
    return next
  }

  /** Also where nothing is kept yet. */
  async function madeIdentity(): Promise<string> {
    if ((await markOf(file)) === "") {
      await change(async (secrets) => {
        await ownIdentity(true)
        return secrets
      })
    }
    return ownIdentity()
  }

  const generations = async (name: SecretName) => (await read()).get(known(name)) ?? []
  return {
    generations,
    get: async (name) => (await generations(name))[0]?.value,
    async getOrCreate(name, make) {
      const [found] = await generations(name)
      if (found !== undefined) return found.value
      const made = await make()
      const after = await change((secrets) =>
        secrets.has(name) ? secrets : withGeneration(secrets, name, made),
      )
      return after.get(name)?.[0]?.value ?? made
    },
    async set(name, value) {
      known(name)
      await change((secrets) =>
        withGenerations(secrets, name, [nextGeneration(secrets.get(name) ?? [], value)]),
      )
    },
    async rotate(name, value) {
      known(name)
      const after = await change((secrets) => withGeneration(secrets, name, value))
      return after.get(name)?.[0]?.number ?? 0
    },
    async retire(name, number) {
      known(name)
      await change((secrets) => {
        const all = secrets.get(name) ?? []
        if (all[0]?.number === number) throw new RangeError(`${name} ${number} is in use`)
        const left = all.filter((one) => one.number !== number)
        return left.length === all.length ? secrets : withGenerations(secrets, name, left)
      })
    },
    async restore(name, all) {
      known(name)
      await change((secrets) => withGenerations(secrets, name, all))
    },
    onChange(listener) {
      let seen = held.mark
      const look = async () => {
        const mark = await markOf(file)
        if (mark === seen) return
        seen = mark
        listener()
      }
      const timer = setInterval(() => look().catch(() => {}), LOOK_MS).unref()
      return () => clearInterval(timer)
    },
    identity: madeIdentity,
    async recipient() {
      const { identityToRecipient } = await import("age-encryption")
      return identityToRecipient(await madeIdentity())
    },
  }
}

function known(name: SecretName): SecretName {
  if (!SECRET_NAMES.includes(name)) throw new TypeError(`${name} is not a secret's name`)
  return name
}

/** @returns What differs between any two files that had this name; empty where there is none. */
async function markOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true })
    return `${ino} ${size} ${mtimeNs}`
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return ""
    throw new Problem("DATA_FOLDER", { message: `Cannot look at ${file}.`, cause })
  }
}

function damaged(file: string, how: string): Problem {
  return new Problem("DATA_FOLDER", {
    message: `${file} is damaged (${how}): put a copy of it back, or restore a backup into another folder. Nothing was changed.`,
  })
}
