/**
 * Answers "what is there to see of this name?" once for all who ask at the same time.
 *
 * Owns: the cache of observations, single flight, and the ceilings on visits. Not: keys, HTTP.
 * Invariants: what one tenant asked is that tenant's (everything is keyed by environment, tenant
 * and host), and no transaction is held while strangers are visited.
 */
import { LRUCache } from "lru-cache"
import { createGate } from "../core/gate.ts"
import { Problem } from "../core/problem.ts"
import type { Database, Environment, Tx } from "../db/database.ts"
import { tenantSeed } from "../db/tenant-seed.ts"
import type { Known, Name, Observation, Verdict, Why } from "../engine/types.ts"
import type { Keyring } from "../secrets/keyring.ts"
import type { Owner } from "./store.ts"
import { latestObservation, saveObservation } from "./store.ts"

/** How long an observation is good for. */
const TTL_MS = 86_400_000
/** …and one in which something could not be seen for a passing reason. */
const TRANSIENT_TTL_MS = 300_000
const TRANSIENT: ReadonlySet<Why> = new Set([
  "timeout",
  "deadline",
  "refused",
  "servfail",
  "server_error",
  "challenge", // also what a rate limit (429) is seen as
])
const MINUTE_MS = 60_000
const MAX_WAITING = 10_000

/** An observation and its judgement. */
export interface Analysis {
  readonly name: Name
  readonly verdict: Verdict
  /** RFC 3339: when it was observed. */
  readonly checkedAt: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

export interface AnalystOptions {
  readonly database: Database
  readonly keyring: Keyring
  /** Visits strangers for `live`, answers from fixed cases for `test`. */
  readonly observe: Readonly<Record<Environment, (name: Name) => Promise<Observation>>>
  readonly judge: (observation: Observation) => Verdict
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Live observations at the same time, at most. */
  readonly concurrency: number
  /** Live observations of one host a minute, at most, over all tenants. */
  readonly perMinute: number
}

export interface Asker {
  readonly environment: Environment
  readonly tenantId: string
}

export class Analyst {
  readonly #options: AnalystOptions
  readonly #cache = new LRUCache<string, Analysis>({ max: 10_000 })
  readonly #flights = new Map<string, Promise<Analysis>>()
  readonly #visits = new LRUCache<string, number[]>({ max: 100_000 })
  readonly #inTurn: ReturnType<typeof createGate>

  constructor(options: AnalystOptions) {
    this.#options = options
    this.#inTurn = createGate(options.concurrency, MAX_WAITING)
  }

  /**
   * @param fresh - Look again, whatever is known.
   * @returns The analysis, and whether it was known before.
   * @throws Problem `RATE_LIMITED` past the ceiling of a host, `UNAVAILABLE` past the queue's.
   */
  async analyze(
    asker: Asker,
    name: Name,
    fresh: boolean,
  ): Promise<{ analysis: Analysis; hit: boolean }> {
    const key = keyOf(asker, name)
    if (!fresh) {
      const known = this.#cache.get(key) ?? (await this.#load(asker, name))
      if (known !== undefined && known.expiresAt > this.#options.now()) {
        this.#cache.set(key, known)
        return { analysis: known, hit: true }
      }
    }
    let flight = this.#flights.get(key)
    if (flight === undefined) {
      flight = this.#observe(asker, name).finally(() => this.#flights.delete(key))
      this.#flights.set(key, flight)
    }
    const analysis = await flight
    this.#cache.set(key, analysis)
    return { analysis, hit: false }
  }

  /** @returns Whether an analysis is still the one that `analyze` would give; a look at memory. */
  isCurrent(asker: Asker, analysis: Analysis): boolean {
    return this.#cache.get(keyOf(asker, analysis.name)) === analysis
  }

  async #load(asker: Asker, name: Name): Promise<Analysis | undefined> {
    const now = new Date(this.#options.now())
    const stored = await this.#asOwner(asker, (tx, owner) =>
      latestObservation(tx, owner, name.host, now),
    )
    return stored && this.#judge(stored.observation, stored.expiresAt.getTime())
  }

  async #observe(asker: Asker, name: Name): Promise<Analysis> {
    const { environment } = asker
    const observation =
      environment === "live"
        ? await this.#visit(name)
        : await this.#options.observe[environment](name)
    const ttlMs = hasTransientUnknown(observation) ? TRANSIENT_TTL_MS : TTL_MS
    const expiresAt = this.#options.now() + ttlMs
    await this.#asOwner(asker, (tx, owner) =>
      saveObservation(tx, owner, { observation, expiresAt: new Date(expiresAt) }),
    )
    return this.#judge(observation, expiresAt)
  }

  async #asOwner<T>(
    { environment, tenantId }: Asker,
    work: (tx: Tx, owner: Owner) => Promise<T>,
  ): Promise<T> {
    const { database, keyring } = this.#options
    return database.asTenant(environment, tenantId, async (tx) => {
      const keys = await keyring.of(tenantId, () => tenantSeed(tx, tenantId))
      if (keys === undefined) throw new Problem("KEY_REVOKED") // its tenant was erased just now
      return work(tx, { environment, tenantId, keyring, keys })
    })
  }

  #judge(observation: Observation, expiresAt: number): Analysis {
    return {
      name: observation.name,
      verdict: this.#options.judge(observation),
      checkedAt: observation.observedAt,
      expiresAt,
    }
  }

  async #visit(name: Name): Promise<Observation> {
    this.#countVisit(name.shared ? name.host : name.registrable)
    return this.#inTurn(() => this.#options.observe.live(name))
  }

  /** A wildcard has any number of hosts, and one server behind them. */
  #countVisit(host: string): void {
    const now = this.#options.now()
    const recent = (this.#visits.get(host) ?? []).filter((at) => at > now - MINUTE_MS)
    const [oldest] = recent
    if (oldest !== undefined && recent.length >= this.#options.perMinute) {
      throw new Problem("RATE_LIMITED", {
        message: `${host} is visited ${this.#options.perMinute} times a minute at most. Ask without fresh=true, or wait.`,
        retryAfterSeconds: Math.max(1, Math.ceil((oldest + MINUTE_MS - now) / 1000)),
      })
    }
    this.#visits.set(host, [...recent, now])
  }
}

function keyOf({ environment, tenantId }: Asker, { host }: Name): string {
  return `${environment} ${tenantId} ${host}`
}

/** @returns Whether anything is unknown for a reason that may be gone in minutes. */
export function hasTransientUnknown(observation: Observation): boolean {
  const { dns, tls, http, registration } = observation
  const facts: Known<unknown>[] = [...Object.values(dns), ...Object.values(http), tls, registration]
  return facts.some((fact) => "unknown" in fact && TRANSIENT.has(fact.unknown))
}
