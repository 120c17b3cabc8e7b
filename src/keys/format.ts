/**
 * The format of API keys: `zt_live_` or `zt_test_`, 43 base62 characters (256 bits), and a
 * 6-character checksum.
 *
 * Owns: making, reading and digesting keys. Not: storing or judging them (issue.ts, admission/).
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
const KEY_ANYWHERE = /zt_(?:live|test)_[0-9A-Za-z]{49}(?![0-9A-Za-z])/g

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

/** @returns The first well-formed key inside a text (a query, a path), else undefined. */
export function findKey(text: string): string | undefined {
  if (!text.includes("zt_")) return undefined
  return text.match(KEY_ANYWHERE)?.find(isKey)
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
