/**
 * The identity: the X25519 key (`AGE-SECRET-KEY-1…`) that opens the store and the backups.
 *
 * Owns: where it is looked for, what its file may look like, making the first one. An identity
 * file is what `age-keygen` writes, or that encrypted under a passphrase (`age -p`).
 * Invariant: one that is there is never replaced; none is made beside a store, which it could not
 * open.
 */
import { join } from "node:path"
import { Problem } from "../core/problem.ts"
import { codeOf, messageOf } from "../core/thrown.ts"
import type { Provenance } from "./private-file.ts"
import { readPrivate, writeWhole } from "./private-file.ts"

export interface IdentitySource {
  /** `ZT_IDENTITY_FILE`. */
  readonly identityFile?: string | undefined
  /** `$CREDENTIALS_DIRECTORY`: where systemd puts a unit's credentials. */
  readonly credentialsDirectory?: string | undefined
  /** Asked when the file is encrypted; `undefined` where nobody can say. */
  readonly passphrase?: () => Promise<string | undefined>
}

const CREDENTIAL = "zygentrust-identity"
const BINARY = "age-encryption.org/v1"
const ARMORED = "-----BEGIN AGE ENCRYPTED FILE-----"

/** @returns Where the identity may lie: the first that is there counts. */
function places(dataDir: string, source: IdentitySource): (readonly [string, Provenance])[] {
  const { identityFile, credentialsDirectory } = source
  if (identityFile !== undefined) return [[identityFile, "given"]]
  const own = [join(dataDir, "identity.txt"), "own"] as const
  if (credentialsDirectory === undefined) return [own]
  return [[join(credentialsDirectory, CREDENTIAL), "systemd"], own]
}

/**
 * @returns The identity, and the file that it came from; undefined where there is none.
 * @throws Problem `DATA_FOLDER` where it cannot be read or used, or `ZT_IDENTITY_FILE` is not there.
 */
export async function readIdentity(
  dataDir: string,
  source: IdentitySource,
): Promise<{ readonly identity: string; readonly file: string } | undefined> {
  const found = await find(dataDir, source)
  if (found === undefined) return undefined
  const { bytes, file } = found
  return { identity: await open(bytes, file, source), file }
}

/** @returns Where the identity lies, without opening it. @throws as {@link readIdentity} does. */
export async function findIdentity(
  dataDir: string,
  source: Pick<IdentitySource, "identityFile" | "credentialsDirectory">,
): Promise<{ readonly file: string; readonly isEncrypted: boolean } | undefined> {
  const found = await find(dataDir, source)
  return found && { file: found.file, isEncrypted: formOf(found.bytes) !== "plain" }
}

async function find(dataDir: string, source: IdentitySource) {
  for (const [file, provenance] of places(dataDir, source)) {
    const bytes = await readPrivate(file, provenance)
    if (bytes !== undefined) return { bytes, file }
  }
  if (source.identityFile === undefined) return undefined
  throw new Problem("DATA_FOLDER", {
    message: `${source.identityFile}, which ZT_IDENTITY_FILE names, is not there: put the identity back, or make one with 'age-keygen -o ${source.identityFile}' before a first start.`,
  })
}

/** Makes `identity.txt`; for the holder of the store's lock, where there is none. @throws Problem */
export async function makeIdentity(dataDir: string): Promise<string> {
  const { generateX25519Identity, identityToRecipient } = await import("age-encryption")
  const identity = await generateX25519Identity()
  const text = `# created: ${new Date().toISOString()}\n# public key: ${await identityToRecipient(identity)}\n${identity}\n`
  await writeWhole(join(dataDir, "identity.txt"), Buffer.from(text))
  return identity
}

async function open(bytes: Buffer, file: string, source: IdentitySource): Promise<string> {
  const form = formOf(bytes)
  const text =
    form === "plain" ? `${bytes}` : await decrypt(bytes, form === "armored", file, source)
  const [identity, ...more] = text.split(/\r?\n/).filter((line) => /^\s*[^#\s]/.test(line))
  if (identity === undefined || more.length > 0 || !(await isIdentity(identity.trim()))) {
    throw new Problem("DATA_FOLDER", {
      message: `${file} is no age identity: it must hold one line AGE-SECRET-KEY-1…, as 'age-keygen' writes it. Put the right file there.`,
    })
  }
  return identity.trim()
}

function formOf(bytes: Buffer): "plain" | "armored" | "binary" {
  const start = bytes.subarray(0, ARMORED.length).toString("latin1")
  if (start === ARMORED) return "armored"
  return start.startsWith(BINARY) ? "binary" : "plain"
}

/** The checksum tells a mistyped or cut one. */
async function isIdentity(text: string): Promise<boolean> {
  if (!/^AGE-SECRET-KEY-1[0-9A-Z]+$/.test(text)) return false
  const { Decrypter } = await import("age-encryption")
  try {
    new Decrypter().addIdentity(text)
    return true
  } catch {
    return false
  }
}

async function decrypt(
  bytes: Buffer,
  armored: boolean,
  file: string,
  { passphrase: ask }: IdentitySource,
): Promise<string> {
  const { armor, Decrypter } = await import("age-encryption")
  const passphrase = await ask?.()
  if (passphrase === undefined) {
    throw new Problem("DATA_FOLDER", {
      message: `${file} is encrypted under a passphrase: name a file with it in ZT_PASSPHRASE_FILE, or start this on a terminal.`,
    })
  }
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase)
  try {
    return await decrypter.decrypt(armored ? armor.decode(`${bytes}`) : bytes, "text")
  } catch (cause) {
    const wrong = codeOf(cause) === undefined && /no identity matched/.test(messageOf(cause))
    throw new Problem("DATA_FOLDER", {
      message: wrong
        ? `The passphrase does not open ${file}. Nothing was changed.`
        : `${file} is damaged (${messageOf(cause)}): put back a copy of it. Nothing was changed.`,
    })
  }
}
