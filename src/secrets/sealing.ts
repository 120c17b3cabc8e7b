/**
 * The sealed form of a value in a row: AES-256-GCM (NIST SP 800-38D), bound to where it lies.
 *
 *     1 byte   1, the version of this form
 *     2 bytes  the root key's generation, big-endian
 *     12       nonce, random
 *     n        ciphertext
 *     16       tag
 *
 * Associated data: table, column, tenant and row, so that a value moved to another does not open.
 * Pure but for the nonce. A key is one tenant's, so 2^32 random nonces are far away.
 */
import type { KeyObject } from "node:crypto"
import { createCipheriv, createDecipheriv, randomFillSync } from "node:crypto"
import { Problem } from "../core/problem.ts"

/** Where a sealed value lies. */
export interface Place {
  /** With its schema: `live.analysis`. */
  readonly table: string
  readonly column: string
  readonly tenantId: string
  /** The row's own id within the tenant. */
  readonly rowId: string
}

/** Stands for the tenant where a value is the deployment's own. */
export const DEPLOYMENT = "deployment"

const VERSION = 1
const NONCE_START = 3
const NONCE_BYTES = 12
const HEADER_BYTES = NONCE_START + NONCE_BYTES
const TAG_BYTES = 16
const ALGORITHM = "aes-256-gcm"
const OPTIONS = { authTagLength: TAG_BYTES }

/** Random bytes are asked for in bulk: each call costs as much as sealing a small value. */
const randomness = Buffer.alloc(NONCE_BYTES * 1_024)
let unused = randomness.length

/** @param generation - Of the root key that the key comes from, 1 to 65,535. */
export function sealValue(key: KeyObject, generation: number, place: Place, plain: string): Buffer {
  const size = Buffer.byteLength(plain)
  const sealed = Buffer.allocUnsafe(HEADER_BYTES + size + TAG_BYTES)
  sealed[0] = VERSION
  sealed.writeUInt16BE(generation, 1)
  if (unused === randomness.length) {
    randomFillSync(randomness)
    unused = 0
  }
  randomness.copy(sealed, NONCE_START, unused, unused + NONCE_BYTES)
  unused += NONCE_BYTES
  const cipher = createCipheriv(ALGORITHM, key, sealed.subarray(NONCE_START, HEADER_BYTES), OPTIONS)
  cipher.setAAD(associated(place))
  sealed.set(cipher.update(plain, "utf8"), HEADER_BYTES)
  cipher.final()
  sealed.set(cipher.getAuthTag(), HEADER_BYTES + size)
  return sealed
}

/** @throws Problem `INTERNAL` when the value was changed, moved, or sealed with another key. */
export function openSealed(key: KeyObject, place: Place, sealed: Buffer): string {
  const end = sealed.length - TAG_BYTES
  if (end < HEADER_BYTES || sealed[0] !== VERSION) throw unopened(place)
  try {
    const decipher = createDecipheriv(
      ALGORITHM,
      key,
      sealed.subarray(NONCE_START, HEADER_BYTES),
      OPTIONS,
    )
    decipher.setAAD(associated(place))
    decipher.setAuthTag(sealed.subarray(end))
    const plain = decipher.update(sealed.subarray(HEADER_BYTES, end))
    decipher.final()
    return plain.toString("utf8")
  } catch {
    throw unopened(place)
  }
}

/** @returns The generation of the root key that a sealed value needs. Never throws. */
export function generationOf(sealed: Buffer): number {
  return sealed.length < NONCE_START ? 0 : sealed.readUInt16BE(1)
}

function associated({ table, column, tenantId, rowId }: Place): Buffer {
  // All of it is ASCII, and as UTF-8 it would take a tenth of a sealing's time.
  return Buffer.from(`${table}.${column}\0${tenantId}\0${rowId}`, "latin1")
}

function unopened({ table, column }: Place): Problem {
  return new Problem("INTERNAL", {
    cause: new Error(
      `a sealed value of ${table}.${column} does not open: changed, moved, or of another key`,
    ),
  })
}
