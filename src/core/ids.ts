/**
 * Identifiers: UUIDv7 (RFC 9562 §5.7) in the database, TypeID text outside
 * (`key_01h455vb4pex5vsknk084sn02q`), so that they sort by time and say what they name.
 */
import { randomUUIDv7 } from "node:crypto"

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
const HYPHEN = 0x2d
const NINE = 0x39
const VALUES = new Map([...ALPHABET].map((letter, value) => [letter, BigInt(value)]))

/** What an id names: request, key, tenant, audit entry, analysis, request for a key, event,
 * finding. */
export type IdPrefix = "req" | "key" | "ten" | "aud" | "ana" | "krq" | "evt" | "fnd"

export type Id<P extends IdPrefix> = `${P}_${string}`

/** @returns A new UUIDv7 as lower-case text. */
export function newUuid(): string {
  return randomUUIDv7()
}

/** @param uuid - A UUID as text. @returns The prefix, `_` and 26 base32 letters (TypeID 0.3). */
export function encodeId<P extends IdPrefix>(prefix: P, uuid: string): Id<P> {
  let text: Id<P> = `${prefix}_`
  // 26 letters hold 130 bits: the first two are zero.
  let bits = 2
  let pending = 0
  for (let i = 0; i < uuid.length; i++) {
    const digit = uuid.charCodeAt(i)
    if (digit === HYPHEN) continue
    pending = ((pending << 4) | (digit <= NINE ? digit & 15 : (digit & 15) + 9)) & 0x1ff
    bits += 4
    if (bits >= 5) {
      bits -= 5
      text += ALPHABET[(pending >> bits) & 31]
    }
  }
  return text
}

/** @returns The UUID of an id, or undefined when it is not one with that prefix. Never throws. */
export function decodeId(prefix: IdPrefix, id: string): string | undefined {
  if (!id.startsWith(`${prefix}_`) || id.length !== prefix.length + 27) return undefined
  let bits = 0n
  for (const letter of id.slice(prefix.length + 1)) {
    const value = VALUES.get(letter)
    if (value === undefined) return undefined
    bits = (bits << 5n) | value
  }
  if (bits >> 128n !== 0n) return undefined
  const hex = bits.toString(16).padStart(32, "0")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
