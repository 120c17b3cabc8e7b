/**
 * The format of API keys: `zt_live_` or `zt_test_`, 43 base62 characters (256 bits), and a
 * 6-character checksum.
 *
 * Owns: making, reading and digesting keys. Not: storing or judging them (keys.ts, admission/).
 * What timing could leak of a look-up is a part of a digest, from which no key can be made.
 */
import { hash, randomBytes } from "node:crypto"
import { crc32 } from "node:zlib"
import type { Environment } from "../db/database.ts"

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const SECRET_LENGTH = 43
const CHECKSUM_LENGTH = 6
const PREFIX_LENGTH = "zt_live_".length
const KEY_LENGTH = PREFIX_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH
/** 248 = 4 × 62: bytes from there on are drawn again, or the first letters would come up more. */
const UNBIASED_BELOW = 248

const KEY = /^zt_(live|test)_[0-9A-Za-z]{49}$/
/** Looks ahead, so that what only begins like a key does not hide one. */
const KEY_ANYWHERE = /(?=(zt_(?:live|test)_[0-9A-Za-z]{49}))/g

/** What a well-formed key says by itself. */
export interface KeyParts {
  readonly environment: Environment
  /** The 8 characters after the prefix, by which candidates are found. Not unique. */
  readonly index8: string
  /** SHA-256 of the whole key, lower-case hex. */
  readonly digest: string
}

/**
 * @param random - Source of uniformly random bytes.
 * @returns A new key of 57 characters; of its 256 secret bits some 48 are the index.
 */
export function generateKey(
  environment: Environment,
  random: (size: number) => Uint8Array = randomBytes,
): string {
  let text = `zt_${environment}_`
  while (text.length < PREFIX_LENGTH + SECRET_LENGTH) {
    for (const byte of random(64)) {
      if (byte < UNBIASED_BELOW && text.length < PREFIX_LENGTH + SECRET_LENGTH) {
        text += ALPHABET[byte % 62]
      }
    }
  }
  return text + checksum(text)
}

/** @returns Whether the text is a key by syntax and checksum; not whether it exists. */
export function isKey(text: string): boolean {
  if (text.length !== KEY_LENGTH || !KEY.test(text)) return false
  return text.endsWith(checksum(text.slice(0, -CHECKSUM_LENGTH)))
}

/** @returns The parts of a well-formed key, else undefined. Never throws. */
export function readKey(text: string): KeyParts | undefined {
  if (!isKey(text)) return undefined
  return {
    environment: text.startsWith("zt_live_") ? "live" : "test",
    index8: lookupIndex(text),
    digest: hash("sha256", text, "hex"),
  }
}

/** @returns The 8 characters after the prefix of a well-formed key. */
export function lookupIndex(key: string): string {
  return key.slice(PREFIX_LENGTH, PREFIX_LENGTH + 8)
}

/**
 * @param text - A request's target, a header's value.
 * @returns Every well-formed key inside, also where it is percent-encoded (RFC 3986 §2.1).
 */
export function findKeys(text: string): string[] {
  const decoded = text.replaceAll(/%([2-7][0-9a-f])/gi, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  const found = [text, decoded].flatMap((candidate) => [...candidate.matchAll(KEY_ANYWHERE)])
  return [...new Set(found.map(([, key = ""]) => key))].filter(isKey)
}

/** CRC-32 (ISO/IEC 13239, as in zlib) of the text before it, base62, most significant first. */
function checksum(text: string): string {
  let rest = crc32(text)
  let digits = ""
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    digits = ALPHABET[rest % 62] + digits
    rest = Math.floor(rest / 62)
  }
  return digits
}
