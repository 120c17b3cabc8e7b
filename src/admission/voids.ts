/**
 * Takes back batches whose commit is uncertain, and outcomes that were refused before they were sent: their
 * requests were answered with 503, and that costs nothing.
 *
 * Invariant: what is added is voided as soon as the database answers, and nothing is dropped: while too many
 * batches wait, nobody is admitted. Claiming a batch's id makes a commit that is still under way fail; one
 * that was done is found by it.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { newUuid } from "../core/ids.ts"
import type { Database } from "../db/database.ts"
import type { Batch } from "./batch.ts"
import { Values } from "./batch.ts"

const RETRY_MS = 500
/** A second's work. */
const MAX_BATCHES = 500

/** Of `void_batch`, in the order of its parameters, as text. */
type Parameters = readonly (string | undefined)[]

export class Voids {
  readonly #database: Database
  readonly #statement: string
  /** And what could not be voided the first time. */
  readonly #batches: Parameters[] = []
  /** Outcomes, by tenant: somebody may hold the rows of one. */
  readonly #outcomes = new Map<string, Batch["finished"]>()
  #busy = false

  constructor(database: Database, schema: string) {
    this.#database = database
    this.#statement = `select ${schema}.void_batch($1, $2, $3, $4, $5)`
  }

  get areTooMany(): boolean {
    return this.#batches.length >= MAX_BATCHES
  }

  /** @param requestIds - Of its arrivals, an array literal. Its outcomes are added when they are refused. */
  add(id: string, requestIds: string): void {
    this.#batches.push([id, requestIds, "{}", "{}", "{}"])
    this.#begin()
  }

  addOutcomes(finished: Batch["finished"]): void {
    for (const one of finished) {
      const { tenantId } = one.finished
      const others = this.#outcomes.get(tenantId)
      if (others === undefined) this.#outcomes.set(tenantId, [one])
      else others.push(one)
    }
    this.#begin()
  }

  #begin(): void {
    if (this.#busy) return
    this.#busy = true
    void this.#drain()
  }

  async #drain(): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      try {
        await this.#database.callAside(this.#statement, next)
      } catch {
        this.#batches.push(next) // behind the others: it may be this one alone that cannot be voided yet
        await sleep(RETRY_MS, undefined, { ref: false })
      }
    }
    this.#busy = false // in the turn in which nothing was found
  }

  #next(): Parameters | undefined {
    const batch = this.#batches.shift()
    if (batch !== undefined) return batch
    for (const [tenantId, finished] of this.#outcomes) {
      this.#outcomes.delete(tenantId)
      const [tenants, ats, requests] = new Values({ arrivals: [], finished }).finished
      return [newUuid(), "{}", tenants, ats, requests]
    }
    return undefined
  }
}
