/**
 * Who made a backup. Whoever knows a recipient can encrypt to it, so a backup is also signed, with
 * a key that comes out of the deployment's identity.
 *
 * Invariant: the same identity gives the same deployment, on every machine.
 */
import type { KeyObject } from "node:crypto"
import { createPrivateKey, createPublicKey, hkdfSync, sign, verify } from "node:crypto"

/** Ed25519 keys in DER (RFC 8410 §7, §4), but for their 32 bytes. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex")
const SPKI = Buffer.from("302a300506032b6570032100", "hex")
const PURPOSE = "zygentrust/1/backup signature"

export interface Signer {
  /** The public key, base64url: names the deployment in its backups. */
  readonly deployment: string
  sign(digest: Buffer): string
}

/** @param identity - `AGE-SECRET-KEY-1…` */
export function signerOf(identity: string): Signer {
  const seed = Buffer.from(hkdfSync("sha256", identity.toUpperCase(), "", PURPOSE, 32))
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" })
  const spki = createPublicKey(key).export({ format: "der", type: "spki" })
  return {
    deployment: spki.subarray(SPKI.length).toString("base64url"),
    sign: (digest) => sign(null, digest, key).toString("base64url"),
  }
}

/** @returns Whether that deployment signed it. Never throws. */
export function isSignedBy(deployment: string, digest: Buffer, signature: string): boolean {
  let key: KeyObject
  try {
    const spki = Buffer.concat([SPKI, Buffer.from(deployment, "base64url")])
    key = createPublicKey({ key: spki, format: "der", type: "spki" })
  } catch {
    return false
  }
  return verify(null, digest, key, Buffer.from(signature, "base64url"))
}
