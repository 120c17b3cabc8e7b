/**
 * The keys that customers' data is sealed with: root → purpose → tenant, by HKDF-SHA256 (RFC 5869).
 *
 *     root, generation n            a secret of 32 random bytes in the store (`root-key`)
 *       purpose                     info `zygentrust/1/seal` or `zygentrust/1/index`
 *         tenant                    salt: the tenant's random seed, info: its id
 *
 * Owns: deriving keys, and which generation is in use. Not: where seeds lie (db/tenant-seed.ts), the
 * sealed form (sealing.ts).
 * Invariant: without the root nothing opens; without its seed nothing of a tenant opens, whoever
 * has the root. Sealed with the newest generation, opened with any that is still in the store.
 */
import type { KeyObject } from "node:crypto"
import { createHmac, createSecretKey, hkdfSync, randomBytes } from "node:crypto"
import { LRUCache } from "lru-cache"
import { Problem } from "../core/problem.ts"
import type { Place } from "./sealing.ts"
import { generationOf, openSealed, sealValue } from "./sealing.ts"
import type { SecretStore } from "./store.ts"

const KEY_BYTES = 32
/** Of a blind index. */
export const INDEX_BYTES = 16
const MAX_TENANTS = 10_000
/** How long an erased tenant's keys may still be remembered. */
const REMEMBERED_MS = 60_000

type Purpose = "seal" | "index"

/** The keys of one tenant, or of the deployment itself where nothing is a tenant's alone. */
export class Keys {
  readonly #seed: Uint8Array
  readonly #id: string
  readonly #roots: Roots
  readonly #derived = new Map<string, KeyObject>()

  constructor(roots: Roots, id: string, seed: Uint8Array) {
    this.#roots = roots
    this.#id = id
    this.#seed = seed
  }

  /** @returns The sealed form of a value, bound to its place. */
  seal(place: Place, plain: string): Buffer {
    const generation = this.#roots.newest
    return sealValue(this.#key("seal", generation), generation, place, plain)
  }

  /**
   * @returns The value that was sealed at this place.
   * @throws Problem `INTERNAL` when it was not sealed for this place and these keys, or was changed.
   */
  open(place: Place, sealed: Buffer): string {
    return openSealed(this.#key("seal", generationOf(sealed)), place, sealed)
  }

  /**
   * @param what - Table and column, so that equal values of two columns do not look equal.
   * @returns Blind indexes (HMAC-SHA256, 16 bytes) of a value, one a generation, the newest first:
   *   the first to store, all to look for.
   */
  indexes(what: string, value: string): [Buffer, ...Buffer[]] {
    const [newest, ...older] = [...this.#roots.generations.keys()]
    return [this.#index(newest ?? 0, what, value), ...older.map((n) => this.#index(n, what, value))]
  }

  #index(generation: number, what: string, value: string): Buffer {
    const hmac = createHmac("sha256", this.#key("index", generation))
    return hmac.update(`${what}\0${value}`).digest().subarray(0, INDEX_BYTES)
  }

  #key(purpose: Purpose, generation: number): KeyObject {
    const name = `${purpose} ${generation}`
    let key = this.#derived.get(name)
    if (key === undefined) {
      const root = this.#roots.generations.get(generation)
      if (root === undefined) {
        throw new Problem("INTERNAL", {
          message: `Sealed with generation ${generation} of 'root-key', which the secret store does not hold.`,
        })
      }
      const purposeKey = hkdfSync("sha256", root, "", `zygentrust/1/${purpose}`, KEY_BYTES)
      const bytes = hkdfSync("sha256", new Uint8Array(purposeKey), this.#seed, this.#id, KEY_BYTES)
      key = createSecretKey(new Uint8Array(bytes))
      this.#derived.set(name, key)
    }
    return key
  }
}

/** The generations of the root key, the newest first. */
interface Roots {
  newest: number
  generations: ReadonlyMap<number, Uint8Array>
}

export class Keyring {
  readonly #secrets: SecretStore
  readonly #roots: Roots = { newest: 0, generations: new Map() }
  readonly #tenants = new LRUCache<string, Keys>({ max: MAX_TENANTS, ttl: REMEMBERED_MS })
  /** Keys of what belongs to the deployment, such as looking for a tenant by its name. */
  readonly deployment: Keys

  private constructor(secrets: SecretStore) {
    this.#secrets = secrets
    this.deployment = new Keys(this.#roots, "deployment", new Uint8Array(0))
  }

  /** Makes the root key when there is none. @throws Problem `DATA_FOLDER` */
  static async open(secrets: SecretStore): Promise<Keyring> {
    const keyring = new Keyring(secrets)
    await secrets.getOrCreate("root-key", generateRootKey)
    await keyring.reload()
    return keyring
  }

  /** Reads the generations again: after a rotation, here or by another instance. */
  async reload(): Promise<void> {
    const generations = await this.#secrets.generations("root-key")
    if (!generations.every(({ value }) => isRootKey(value))) {
      throw new Problem("DATA_FOLDER", {
        message:
          "The secret 'root-key' is damaged: restore it, for no other opens what was sealed.",
      })
    }
    this.#roots.generations = new Map(
      generations.map(({ number, value }) => [number, Buffer.from(value, "base64url")]),
    )
    this.#roots.newest = generations[0]?.number ?? 0
  }

  /** @returns The generation that is sealed with now. */
  get newest(): number {
    return this.#roots.newest
  }

  /**
   * @param loadSeed - Asked when the tenant's keys are not in memory.
   * @returns A tenant's keys; undefined when its seed is gone: the tenant was erased.
   */
  async of(
    tenantId: string,
    loadSeed: () => Promise<Uint8Array | undefined>,
  ): Promise<Keys | undefined> {
    const known = this.#tenants.get(tenantId)
    if (known !== undefined) return known
    const seed = await loadSeed()
    if (seed === undefined) return undefined
    const keys = this.keys(tenantId, seed)
    this.#tenants.set(tenantId, keys)
    return keys
  }

  /** @returns A tenant's keys, from its seed. */
  keys(tenantId: string, seed: Uint8Array): Keys {
    return new Keys(this.#roots, tenantId, seed)
  }

  /** Like {@link Keys.open}, for values that another instance may have sealed a moment ago. */
  async open(keys: Keys, place: Place, sealed: Buffer): Promise<string> {
    if (!this.#roots.generations.has(generationOf(sealed))) await this.reload()
    return keys.open(place, sealed)
  }
}

/** @returns Whether a text has a root key's form: 32 bytes, base64url. */
export function isRootKey(text: string): boolean {
  return /^[\w-]{43}$/.test(text)
}

/** @returns A root key as the secret store keeps it: 32 random bytes, base64url. */
export function generateRootKey(): string {
  return randomBytes(KEY_BYTES).toString("base64url")
}
