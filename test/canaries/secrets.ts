/** What the suite looks for: secrets that it makes, and those that the program made for itself. */
import { createPrivateKey, randomBytes } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { Encrypter, generateX25519Identity } from "age-encryption"
import type { IdentitySource } from "../../src/secrets/identity.ts"
import type { SecretStore } from "../../src/secrets/store.ts"
import { SECRET_NAMES } from "../../src/secrets/store.ts"
import type { Canary } from "./search.ts"

const LENGTH = 24

/** @returns A word of 24 small letters and digits, good as a password, a name or a label of a host. */
export function newWord(): string {
  return Array.from(randomBytes(LENGTH), (byte) => (byte % 36).toString(36)).join("")
}

/** @param key - What follows the look-up index, which may be shown, is secret. */
export function keyCanary(name: string, key: string): Canary {
  return { name, secret: key.slice("zt_live_".length + 8) }
}

/** @returns The private number of every private key of a PEM text: what all its forms have in common. */
export function pemCanaries(name: string, text: string): Canary[] {
  const keys = text.match(
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END [A-Z ]*PRIVATE KEY-----/g,
  )
  return (keys ?? []).flatMap((pem) => {
    const { d } = createPrivateKey(pem).export({ format: "jwk" })
    return d === undefined ? [] : [{ name, secret: Buffer.from(d, "base64url") }]
  })
}

/** @returns StoredKey and ServerKey of a SCRAM verifier (RFC 5803), which is as good as a password. */
export function scramCanaries(name: string, verifier: string): Canary[] {
  const [, keys = ""] = /^SCRAM-SHA-256\$[^$]+\$(.+)$/.exec(verifier) ?? []
  return keys.split(":").map((key) => ({ name, secret: Buffer.from(key, "base64") }))
}

/** @returns All that lies in a secret store, older generations too, and what opens it. */
export async function storedCanaries(store: SecretStore): Promise<Canary[]> {
  const identity = (await store.identity()).replace("AGE-SECRET-KEY-1", "")
  const canaries: Canary[] = [{ name: "identity", secret: identity }]
  for (const name of SECRET_NAMES) {
    for (const { value } of await store.generations(name)) {
      const text = value.replaceAll("\\n", "\n") // within JSON
      const isPem = text.includes("-----BEGIN")
      canaries.push(...(isPem ? pemCanaries(name, text) : textCanaries(name, value)))
    }
  }
  return canaries
}

/** As it is written, and the bytes that 43 characters of base64url stand for. */
function textCanaries(name: string, value: string): Canary[] {
  const bytes = Buffer.from(value, "base64url")
  const isBytes = bytes.length === 32 && bytes.toString("base64url") === value
  return [{ name, secret: value }, ...(isBytes ? [{ name, secret: bytes }] : [])]
}

/**
 * @param file - Is written: an identity under a passphrase, as `age -p` makes it but for its work.
 * @returns How to open the store of its data folder.
 */
export async function writeIdentity(file: string, passphrase: string): Promise<IdentitySource> {
  const encrypter = new Encrypter()
  encrypter.setPassphrase(passphrase)
  encrypter.setScryptWorkFactor(4)
  await writeFile(file, await encrypter.encrypt(await generateX25519Identity()), { mode: 0o600 })
  return { passphrase: async () => passphrase }
}
