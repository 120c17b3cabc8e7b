/**
 * Takes back batches whose commit is uncertain: their requests were answered with 503, and that
 * costs nothing.
 *
 * Invariant: a batch that is added is voided as soon as the database answers. Claiming its id makes a
 * commit that is still under way fail; one that was done is found by it.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Database } from "../db/database.ts"
import type { Values } from "./batch.ts"

const RETRY_MS = 500
const MAX_WAITING = 10_000

export class Voids {
  readonly #database: Database
  readonly #statement: string
  readonly #waiting: { readonly id: string; readonly values: Values }[] = []
  #busy = false

  constructor(database: Database, schema: string) {
    this.#database = database
    this.#statement = `select ${schema}.void_batch($1, $2, $3, $4, $5)`
  }

  add(id: string, values: Values): void {
    if (this.#waiting.length >= MAX_WAITING) this.#waiting.shift()
    this.#waiting.push({ id, values })
    if (this.#busy) return
    this.#busy = true
    this.#drain().finally(() => {
      this.#busy = false
    })
  }

  async #drain(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const { id, values } = next
      const [tenants, ats, requests] = values.finished
      try {
        await this.#database.callAside(this.#statement, [
          id,
          values.requestIds,
          tenants,
          ats,
          requests,
        ])
        this.#waiting.shift()
      } catch {
        await sleep(RETRY_MS, undefined, { ref: false })
      }
    }
  }
}
