/**
 * Admission: the requests of one tick, admitted together by one SQL statement.
 *
 * Owns: batches, and what is sent and read back. Not: key syntax (keys/), answers (http/).
 * Invariant: nobody is admitted but by a statement that began after the request arrived, so a
 * revoked key is refused everywhere from the moment its revocation commits; and whoever is
 * admitted has a usage row. No validity is remembered here: only which tenant a digest belongs
 * to, which never changes.
 * See docs/adr/0003-admission.md.
 */
import { LRUCache } from "lru-cache"
import type { ProblemCode } from "../core/problem.ts"
import { Problem } from "../core/problem.ts"
import type { Database, Environment } from "../db/database.ts"

/** What a request ended in. */
export interface Outcome {
  /** HTTP status. */
  readonly status: number
  /** Index into {@link LATENCY_BUCKETS_MS}. */
  readonly latencyBucket: number
  readonly cacheHit: boolean
}

/** A request that asks to be let in. */
export interface Arrival {
  readonly index8: string
  /** SHA-256 of the key, hex. */
  readonly digest: string
  readonly requestId: string
  readonly route: number
  /** Whose key it is, where that is known: see {@link Admission.callerOf}. */
  readonly caller?: Caller | undefined
  /** Known already when the answer lies ready; else it follows by `finish`. */
  readonly outcome?: Outcome
}

/** Whom a key belongs to; says nothing about whether the key is good. */
export interface Caller {
  readonly tenantId: string
  readonly keyId: string
}

/** @param admittedAt - When, as the database writes it; `finish` takes it back. */
type Settled = (result: Caller | Problem, admittedAt: string) => void

interface Finished extends Outcome {
  readonly tenantId: string
  readonly admittedAt: string
  readonly requestId: string
}

interface Batch {
  readonly arrivals: { readonly arrival: Arrival; readonly settle: Settled }[]
  readonly finished: { readonly finished: Finished; readonly settle: (error?: unknown) => void }[]
}

/** Upper bounds; the last bucket has none. */
export const LATENCY_BUCKETS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]

const MAX_WAITING = 20_000
/** Past it, who waits is refused; what the statement does by then is seen by nobody. */
const DEADLINE_MS = 3_000
const MAX_BATCH = 1_000
const MAX_KNOWN_CALLERS = 100_000

/** @returns The bucket of a latency in milliseconds. */
export function latencyBucket(ms: number): number {
  const index = LATENCY_BUCKETS_MS.findIndex((bound) => ms <= bound)
  return index === -1 ? LATENCY_BUCKETS_MS.length : index
}

/** The admission of one environment. Live and sandbox have one each, so that they share no row. */
export class Admission {
  readonly #database: Database
  readonly #statement: string
  readonly #callers = new LRUCache<string, Caller>({ max: MAX_KNOWN_CALLERS })
  #waiting: Batch = { arrivals: [], finished: [] }
  #scheduled = false
  /** The statement in flight is past its deadline: whoever comes is refused at once. */
  #stuck = false
  #failedAt: number | undefined

  constructor(database: Database, environment: Environment) {
    this.#database = database
    const schema = environment === "live" ? "live" : "sandbox"
    this.#statement = `select "position", reason, tenant_id, key_id, decided_at::text as at
      from ${schema}.admit($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)`
  }

  /** When a statement last failed or was late, if none has succeeded since. By `performance.now`. */
  get failedAt(): number | undefined {
    return this.#failedAt
  }

  /** @returns Whose key has this digest, if one was admitted before. */
  callerOf(digest: string): Caller | undefined {
    return this.#callers.get(digest)
  }

  /**
   * Asks for admission. Calls back once: with the caller, or with Problem `INVALID_KEY`,
   * `KEY_DISABLED`, `KEY_REVOKED`, `KEY_EXPIRED` or `UNAVAILABLE`. A callback, since a promise a
   * request is what the hot path would mostly spend its time on.
   */
  admit(arrival: Arrival, settle: Settled): void {
    if (this.#stuck || this.#waiting.arrivals.length >= MAX_WAITING) {
      settle(new Problem("UNAVAILABLE", { retryAfterSeconds: 1 }), "")
      return
    }
    this.#waiting.arrivals.push({ arrival, settle })
    this.#schedule()
  }

  /** Records what an admitted request ended in. Resolves when that is committed. */
  finish(finished: Finished): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#stuck) return reject(new Problem("UNAVAILABLE", { retryAfterSeconds: 1 }))
      const settle = (error?: unknown) => (error === undefined ? resolve() : reject(error))
      this.#waiting.finished.push({ finished, settle })
      this.#schedule()
    })
  }

  /** One statement is in flight; what arrives meanwhile is the next batch. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      const batch = {
        arrivals: this.#waiting.arrivals.splice(0, MAX_BATCH),
        finished: this.#waiting.finished.splice(0, MAX_BATCH),
      }
      this.#run(batch).finally(() => {
        this.#scheduled = false
        this.#stuck = false
        if (this.#waiting.arrivals.length + this.#waiting.finished.length > 0) this.#schedule()
      })
    })
  }

  async #run(batch: Batch): Promise<void> {
    const deadline = setTimeout(() => {
      this.#stuck = true
      this.#failedAt = performance.now()
      refuse(batch)
      refuse(this.#waiting)
      this.#waiting = { arrivals: [], finished: [] }
    }, DEADLINE_MS)
    let rows: Answer[]
    try {
      rows = await this.#database.call<Answer>(this.#statement, this.#values(batch))
    } catch (cause) {
      this.#failedAt = performance.now()
      if (!this.#stuck) refuse(batch, cause)
      return
    } finally {
      clearTimeout(deadline)
    }
    this.#failedAt = undefined
    if (this.#stuck) return
    const refused = new Map<number, ProblemCode>()
    let admittedAt = ""
    for (const { position, reason, tenant_id, key_id, at } of rows) {
      admittedAt = at
      if (reason !== null) refused.set(position, reason)
      const waiting = batch.arrivals[position - 1]
      if (tenant_id !== null && key_id !== null && waiting !== undefined) {
        this.#callers.set(waiting.arrival.digest, { tenantId: tenant_id, keyId: key_id })
      }
    }
    for (const [index, { arrival, settle }] of batch.arrivals.entries()) {
      const code = refused.get(index + 1)
      const caller = arrival.caller ?? this.#callers.get(arrival.digest)
      settle(code === undefined && caller ? caller : new Problem(code ?? "INVALID_KEY"), admittedAt)
    }
    for (const { settle } of batch.finished) settle()
  }

  /** Array literals, built as text in one pass: hex, UUIDs, base62 and numbers need no quotes. */
  #values({ arrivals, finished }: Batch): string[] {
    let [index8, digest, request, route, status, latency, hit, introduce] = Array(8).fill("")
    for (const [index, { arrival }] of arrivals.entries()) {
      const { outcome } = arrival
      index8 += `,${arrival.index8}`
      digest += `,${arrival.digest}`
      request += `,${arrival.requestId}`
      route += `,${arrival.route}`
      status += `,${outcome?.status ?? "NULL"}`
      latency += `,${outcome?.latencyBucket ?? "NULL"}`
      hit += `,${outcome?.cacheHit ?? "NULL"}`
      if (arrival.caller === undefined) introduce += `,${index + 1}`
    }
    const literals = [index8, digest, request, route, status, latency, hit, introduce]
    let [tenant, at, id, endStatus, endLatency, endHit] = Array(6).fill("")
    for (const { finished: end } of finished) {
      tenant += `,${end.tenantId}`
      at += `,"${end.admittedAt}"`
      id += `,${end.requestId}`
      endStatus += `,${end.status}`
      endLatency += `,${end.latencyBucket}`
      endHit += `,${end.cacheHit}`
    }
    literals.push(tenant, at, id, endStatus, endLatency, endHit)
    return literals.map((text) => `{${text.slice(1)}}`)
  }
}

function refuse({ arrivals, finished }: Batch, cause?: unknown): void {
  const problem = new Problem("UNAVAILABLE", { retryAfterSeconds: 1, cause })
  for (const { settle } of arrivals) settle(problem, "")
  for (const { settle } of finished) settle(problem)
}

/** One row a refused position, one a position whose caller was asked for, and one for all (0). */
interface Answer {
  readonly position: number
  readonly reason: ProblemCode | null
  readonly tenant_id: string | null
  readonly key_id: string | null
  readonly at: string
}
