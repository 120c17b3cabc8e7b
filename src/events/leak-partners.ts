/**
 * Who may report leaked keys: the public keys of secret scanners, from the operator's file.
 *
 *     { "public_keys": [{ "key_identifier": "…", "key": "-----BEGIN PUBLIC KEY-----…", "partner": "github" }] }
 *
 * The form in which GitHub publishes its own; `partner` is ours, and may be left out. Read again when
 * the file changes. Nothing is ever fetched.
 * Invariant: a signature is ECDSA over P-256 with SHA-256, of the bytes as they came.
 */
import type { KeyObject } from "node:crypto"
import { createPublicKey, verify } from "node:crypto"
import { readFile, stat } from "node:fs/promises"
import { z } from "zod"
import { Problem } from "../core/problem.ts"
import { codeOf } from "../core/thrown.ts"

/** A secret scanner whose word counts. */
export interface Partner {
  /** By which events name it. */
  readonly name: string
  /** @returns Whether it signed these bytes. Never throws. */
  signed(body: Uint8Array, signature: string): boolean
}

const File = z.object({
  public_keys: z
    .array(
      z.object({
        key_identifier: z.string().min(1).max(200),
        key: z.string().max(2_000),
        partner: z
          .string()
          .regex(/^[\w .-]{1,40}$/)
          .default("secret scanner"),
      }),
    )
    .min(1)
    .max(100),
})

const SETTING = "ZT_LEAK_PARTNERS_FILE"
const LOOK_MS = 5_000
/** DER of two 32-byte integers has 72 bytes at most. */
const SIGNATURE = /^(?:[A-Za-z0-9+/]{4}){2,24}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

type Partners = ReadonlyMap<string, Partner>

export class LeakPartners {
  readonly #file: string | undefined
  readonly #failed: (error: unknown) => void
  #partners: Partners = new Map()
  #version = ""
  #lookAt = 0

  /**
   * @param file - Without one there are none.
   * @param failed - Told of a file that cannot be read later on; what was read before stays.
   * @throws Problem `INVALID_SETTING`
   */
  static async open(
    file: string | undefined,
    failed: (error: unknown) => void,
  ): Promise<LeakPartners> {
    const partners = new LeakPartners(file, failed)
    await partners.#read()
    return partners
  }

  private constructor(file: string | undefined, failed: (error: unknown) => void) {
    this.#file = file
    this.#failed = failed
  }

  /** @returns Whose key has that identifier, as of a few seconds ago. */
  async find(identifier: string): Promise<Partner | undefined> {
    if (performance.now() >= this.#lookAt) await this.#read().catch(this.#failed)
    return this.#partners.get(identifier)
  }

  async #read(): Promise<void> {
    this.#lookAt = performance.now() + LOOK_MS
    if (this.#file === undefined) return
    try {
      const { mtimeMs, size, ino } = await stat(this.#file)
      const version = `${mtimeMs} ${size} ${ino}`
      if (version === this.#version) return
      this.#partners = readPartners(await readFile(this.#file, "utf8"))
      this.#version = version
    } catch (cause) {
      if (cause instanceof Problem) throw cause
      throw invalid(`names no file that can be read (${codeOf(cause) ?? "unknown"})`, cause)
    }
  }
}

function readPartners(text: string): Partners {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw invalid("holds no JSON", cause)
  }
  const result = File.safeParse(json)
  if (!result.success) {
    const where = result.error.issues[0]?.path.join(".") || "public_keys"
    throw invalid(`is not a list of public keys: look at ${where}`)
  }
  const partners = new Map<string, Partner>()
  for (const { key_identifier, key, partner } of result.data.public_keys) {
    if (partners.has(key_identifier)) throw invalid(`has the identifier ${key_identifier} twice`)
    partners.set(key_identifier, partnerOf(partner, publicKey(key, key_identifier)))
  }
  return partners
}

function publicKey(pem: string, identifier: string): KeyObject {
  // A private key has a public one too, and no business in this file.
  const isPublic = /^\s*-----BEGIN PUBLIC KEY-----/.test(pem)
  let key: KeyObject | undefined
  try {
    key = isPublic ? createPublicKey(pem) : undefined
  } catch {}
  if (key?.asymmetricKeyDetails?.namedCurve === "prime256v1") return key
  throw invalid(`has no public key on P-256 (PEM) under the identifier ${identifier}`)
}

function partnerOf(name: string, key: KeyObject): Partner {
  return {
    name,
    signed(body, signature) {
      if (!SIGNATURE.test(signature)) return false
      try {
        return verify("sha256", body, key, Buffer.from(signature, "base64"))
      } catch {
        return false
      }
    },
  }
}

function invalid(what: string, cause?: unknown): Problem {
  return new Problem("INVALID_SETTING", { message: `${SETTING} ${what}.`, cause })
}
