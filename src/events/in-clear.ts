/**
 * Keys that came over plain HTTP: those that exist become events, after the answer.
 *
 * Owns: what is remembered until then. Not: the refusal (edge/redirect.ts), which is the same for any
 * well-formed key.
 * Invariants: nothing waits for it, memory is bounded, and however many keys come, the database is
 * asked once a second, about each key once a day. Past the bound keys are left out, not queued.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { LRUCache } from "lru-cache"
import type { Database } from "../db/database.ts"
import type { FoundKey } from "./found-key.ts"
import { bySchema } from "./found-key.ts"

export interface KeysInClearOptions {
  readonly database: Pick<Database, "callAside">
  /** Told of each key that exists, by its look-up index, once a day. */
  readonly told: (index8: string) => void
  readonly failed: (error: unknown) => void
}

const DAY_MS = 86_400_000
const FLUSH_MS = 1_000
const MAX_KNOWN = 20_000
const MAX_WAITING = 500

export class KeysInClear {
  readonly #options: KeysInClearOptions
  readonly #stop = new AbortController()
  readonly #known = new LRUCache<string, true>({ max: MAX_KNOWN, ttl: DAY_MS })
  readonly #waiting = new Map<string, FoundKey>()
  #loop: Promise<void> = Promise.resolve()

  constructor(options: KeysInClearOptions) {
    this.#options = options
  }

  start(): void {
    this.#loop = this.#run().catch(() => {}) // only being stopped ends it
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#loop
    await this.flush()
  }

  /** Never throws, and waits for nothing. */
  note(key: FoundKey): void {
    if (this.#waiting.size >= MAX_WAITING || this.#known.has(key.digest)) return
    this.#waiting.set(key.digest, key)
  }

  /** What the database does not take stays for the next time. */
  async flush(): Promise<void> {
    const { database, told, failed } = this.#options
    if (this.#waiting.size === 0) return
    try {
      for (const [schema, index8s, digests] of bySchema([...this.#waiting.values()])) {
        const rows = await database.callAside<{ index8: string }>(
          `select index8 from ${schema}.note_keys_in_clear($1, $2)`,
          [index8s, digests],
        )
        for (const digest of digests) {
          this.#known.set(digest, true)
          this.#waiting.delete(digest)
        }
        for (const { index8 } of rows) told(index8)
      }
    } catch (error) {
      failed(error)
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    for (;;) {
      await sleep(FLUSH_MS, undefined, { signal, ref: false })
      await this.flush()
    }
  }
}
