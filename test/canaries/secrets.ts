/** What the suite looks for: secrets that it makes, and those that the program made for itself. */
import { createPrivateKey, randomBytes } from "node:crypto"
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

/** @returns All that lies in a secret store. */
export async function storedCanaries(store: SecretStore): Promise<Canary[]> {
  const canaries = await Promise.all(
    SECRET_NAMES.map(async (name): Promise<Canary[]> => {
      const value = await store.get(name)
      if (value === undefined) return []
      const text = value.includes("-----BEGIN") ? value.replaceAll("\\n", "\n") : undefined
      return text === undefined ? [{ name, secret: value }] : pemCanaries(name, text)
    }),
  )
  return canaries.flat()
}
