/**
 * Takes back batches whose commit is uncertain: their requests were answered with 503, and that
 * costs nothing.
 *
 * Invariant: a batch that is added is voided as soon as the database answers, and none is dropped: while
 * too many wait, nobody is admitted. Claiming its id makes a commit that is still under way fail; one that
 * was done is found by it.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Database } from "../db/database.ts"
import type { Values } from "./batch.ts"

const RETRY_MS = 500
/** A second's work. */
const MAX_WAITING = 500

export class Voids {
  readonly #database: Database
  readonly #statement: string
  readonly #waiting: { readonly id: string; readonly values: Values }[] = []
  #busy = false

  constructor(database: Database, schema: string) {
    this.#database = database
    this.#statement = `select ${schema}.void_batch($1, $2, $3, $4, $5)`
  }

  get areTooMany(): boolean {
    return this.#waiting.length >= MAX_WAITING
  }

  add(id: string, values: Values): void {
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
        this.#waiting.push(...this.#waiting.splice(0, 1)) // it may be this one alone: somebody holds its rows
        await sleep(RETRY_MS, undefined, { ref: false })
      }
    }
  }
}
