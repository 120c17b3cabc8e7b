/**
 * Admission: the requests of one tick, admitted together by one SQL statement.
 *
 * Owns: which statement, what to do when it fails. Not: batching (lane.ts), what is sent and read
 * back (batch.ts), key syntax (keys/), answers (http/).
 * Invariants: nobody is admitted but by a statement that began after the request arrived, so a
 * revoked key is refused everywhere from the moment its revocation commits; whoever is admitted has
 * a usage row and was within rate and quota; whoever is answered 503 for want of the database is
 * charged nothing. No validity is remembered here: only which tenant a digest belongs to, which
 * never changes.
 * See docs/adr/0003-admission.md.
 */
import { LRUCache } from "lru-cache"
import { newUuid } from "../core/ids.ts"
import type { Database, Environment } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import { NotConnected, sqlState } from "../db/errors.ts"
import type { Answer, Arrival, Batch, Caller, Finished, Settled } from "./batch.ts"
import { byTenant, refuseBatch, settleBatch, Values } from "./batch.ts"
import { Lane } from "./lane.ts"
import type { Measured } from "./meter.ts"
import { Meter } from "./meter.ts"
import { UnknownKeys } from "./unknown-keys.ts"
import { Voids } from "./voids.ts"

const MAX_KNOWN_CALLERS = 100_000
/** Tenants that wait beside the others, at most: each has a connection while it waits. */
const MAX_ASIDE = 100
const LOCK_TIMEOUT = "55P03"

/** The admission of one environment. Live and sandbox have one each, so that they share no row. */
export class Admission {
  readonly #database: Database
  readonly #statement: string
  readonly #callers = new LRUCache<string, Caller>({ max: MAX_KNOWN_CALLERS })
  readonly #voids: Voids
  readonly #unknownKeys: UnknownKeys
  readonly #meter = new Meter()
  readonly #main: Lane
  /** By its last answer: the statement is told that it may be so again. */
  #allServed = true
  /** Tenants that failed a batch: they wait on connections of their own until they get through. */
  readonly #aside = new Map<string, Lane>()
  #failedAt: number | undefined

  constructor(database: Database, environment: Environment) {
    this.#database = database
    const schema = SCHEMAS[environment]
    const parameters = Array.from({ length: 25 }, (_, n) => `$${n + 1}`)
    this.#statement = `select ${schema}.admit_batch(${parameters}) as answer`
    this.#voids = new Voids(database, schema)
    this.#unknownKeys = new UnknownKeys(database, schema, Date.now)
    this.#main = new Lane({
      run: async (batch, late, since) => void (await this.#run(batch, late, since, "call")),
      onLate: () => this.#failed(),
      refuse: (batch) => this.#refuse(batch),
    })
  }

  /** When a statement last failed or was late, if none has succeeded since. By `performance.now`. */
  get failedAt(): number | undefined {
    return this.#failedAt
  }

  /** @returns How its statements did since the start. */
  measured(): Measured {
    return this.#meter.snapshot()
  }

  /** Writes what is only counted. The database is still open, and nobody asks any more. */
  close(): Promise<void> {
    return this.#unknownKeys.flush()
  }

  /** @returns Whose key has this digest, if one was admitted before. */
  callerOf(digest: string): Caller | undefined {
    return this.#callers.get(digest)
  }

  /**
   * Asks for admission. Calls back once: with the caller, or with Problem `INVALID_KEY`,
   * `KEY_DISABLED`, `KEY_REVOKED`, `KEY_EXPIRED`, `ADDRESS_NOT_ALLOWED`, `INSUFFICIENT_SCOPE`,
   * `RATE_LIMITED`, `QUOTA_EXCEEDED` or `UNAVAILABLE`. A callback, since a promise a request is what
   * the hot path would mostly spend its time on.
   */
  admit(arrival: Arrival, settle: Settled): void {
    if (this.#voids.areTooMany) {
      this.#failed()
      this.#refuse({ arrivals: [{ arrival, settle }], finished: [] })
      return
    }
    this.#laneOf(arrival.caller?.tenantId).addArrival({ arrival, settle })
  }

  /** Records what an admitted request ended in. Resolves when that is committed. */
  finish(finished: Finished): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown) => (error === undefined ? resolve() : reject(error))
      this.#laneOf(finished.tenantId).addFinished({ finished, settle })
    })
  }

  #laneOf(tenantId: string | undefined): Lane {
    return (tenantId === undefined ? undefined : this.#aside.get(tenantId)) ?? this.#main
  }

  async #run(
    batch: Batch,
    late: () => boolean,
    since: number,
    by: "call" | "callAside",
  ): Promise<boolean> {
    const id = newUuid()
    const began = performance.now()
    const values = new Values(batch)
    let answer: Answer | null | undefined
    try {
      const [row] = await this.#database[by]<{ answer: Answer | null }>(this.#statement, [
        id,
        this.#allServed,
        ...values.arrivals,
        ...values.finished,
      ])
      answer = row?.answer
    } catch (cause) {
      this.#meter.failed()
      const refusedByServer = sqlState(cause) !== undefined && !isShutdown(sqlState(cause))
      if (!refusedByServer && !(cause instanceof NotConnected))
        this.#voids.add(id, values.requestIds)
      if (late()) return false
      if (refusedByServer && by === "call" && this.#setAside(batch, since)) return false
      if (sqlState(cause) === LOCK_TIMEOUT && by === "callAside")
        return this.#run(batch, late, since, by)
      this.#failed()
      this.#refuse(batch, cause)
      return false
    }
    if (late()) {
      this.#meter.failed()
      this.#voids.add(id, values.requestIds)
      return false
    }
    this.#meter.done(batch.arrivals.length + batch.finished.length, performance.now() - began)
    this.#failedAt = undefined
    if (answer) this.#allServed = !answer.refused
    settleBatch(batch, values.keys, answer, this.#callers)
    const unknown = answer?.refused?.filter(([, reason]) => reason === "INVALID_KEY").length ?? 0
    if (unknown > 0) this.#unknownKeys.add(unknown)
    return true
  }

  /** What one tenant stopped must not stop the others: each goes on by itself. */
  #setAside(batch: Batch, since: number): boolean {
    const parts = byTenant(batch)
    if (this.#aside.size + parts.size > MAX_ASIDE) return false
    for (const [name, part] of parts) {
      const lane = this.#aside.get(name) ?? this.#openAside(name)
      for (const one of part.arrivals) lane.addArrival(one, since)
      for (const one of part.finished) lane.addFinished(one, since)
    }
    return true
  }

  #openAside(name: string): Lane {
    const lane: Lane = new Lane({
      run: async (batch, late, since) => {
        const through = await this.#run(batch, late, since, "callAside")
        const isTenant = batch.arrivals.every(({ arrival }) => arrival.caller !== undefined)
        if (through || !isTenant) this.#aside.delete(name)
      },
      onLate: () => {},
      refuse: (batch) => this.#refuse(batch),
    })
    this.#aside.set(name, lane)
    return lane
  }

  /** What was admitted and now ends with 503 must cost nothing, whatever became of its statement. */
  #refuse(batch: Batch, cause?: unknown): void {
    refuseBatch(batch, cause)
    this.#voids.addOutcomes(batch.finished)
  }

  #failed(): void {
    this.#failedAt = performance.now()
  }
}

/** The server went away with the answer: whether it had committed is not known. */
function isShutdown(state: string | undefined): boolean {
  return state !== undefined && /^(57P|08)/.test(state)
}
