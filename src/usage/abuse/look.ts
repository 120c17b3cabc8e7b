/**
 * One look at one environment: counts → what detectors find in them → recorded.
 *
 * Owns: what is read, and that it stays little: only hours that pass a floor leave the database, and
 * what is usual for a tenant is worked out once an hour. Not: rules (rules.ts, detectors.ts), what
 * recording does (its migration's `record_finding`).
 */
import { LRUCache } from "lru-cache"
import type { Database, Environment } from "../../db/database.ts"
import { SCHEMAS } from "../../db/database.ts"
import type { Finding, KeyHour, KeyNetworks, TenantUsual } from "./detectors.ts"
import { detect, domains as domainsRule } from "./detectors.ts"
import { RULES } from "./rules.ts"
import type { Counted } from "./usual.ts"
import { HISTORY_DAYS, usualHour } from "./usual.ts"

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** No hour of a test key passes it: those are not charged, and judge no stranger. */
const NEVER = Number.MAX_SAFE_INTEGER
const TENANTS_AT_ONCE = 25
const MAX_REMEMBERED = 20_000
/** Of one look: more say nothing more. */
const MAX_FINDINGS = 1_000

export interface LookOptions {
  readonly database: Pick<Database, "callAside">
  readonly environment: Environment
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Whether keys are held to a rate where a rule says so. */
  readonly throttle: boolean
}

export class Look {
  readonly #options: LookOptions
  readonly #schema: string
  /** By tenant and hour. */
  readonly #usual = new LRUCache<string, TenantUsual>({ max: MAX_REMEMBERED })

  constructor(options: LookOptions) {
    this.#options = options
    this.#schema = SCHEMAS[options.environment]
  }

  /** @returns UUIDs of new findings. @throws Problem */
  async look(): Promise<string[]> {
    const now = this.#options.now()
    const since = Math.floor(now / HOUR_MS) * HOUR_MS - HOUR_MS
    const isLive = this.#options.environment === "live"
    const [hours, unknownKeys, networks] = [
      await this.#hours(since, isLive),
      await this.#unknownKeys(now),
      await this.#networks(now),
    ]
    if (isLive) await this.#learn(hours)
    const counts = new Map<string, number>()
    const seen = {
      hours,
      since,
      unknownKeys,
      networks,
      usual: (tenantId: string, hour: number) => this.#usual.get(`${tenantId} ${hour}`),
      domains: (tenantId: string, hour: number) => counts.get(`${tenantId} ${hour}`),
    }
    for (const { tenantId } of domainsRule(seen)) {
      for (const hour of [since, since + HOUR_MS]) {
        counts.set(`${tenantId} ${hour}`, await this.#domains(tenantId, hour))
      }
    }
    const added: string[] = []
    for (const finding of detect(seen).slice(0, MAX_FINDINGS)) {
      const id = await this.#record(finding)
      if (id !== null) added.push(id)
    }
    return added
  }

  async #record({ tenantId, subject, rule, measured, threshold, hold }: Finding) {
    const held = this.#options.throttle ? hold : undefined
    const [row] = await this.#options.database.callAside<{ id: string | null }>(
      `select ${this.#schema}.record_finding($1, $2, $3, $4, $5, $6, $7, $8) as id`,
      [
        ...[tenantId, subject, rule, Math.round(measured), Math.round(threshold)],
        ...[held?.perSecond ?? null, held?.burst ?? null, held?.hours ?? null],
      ],
    )
    return row?.id ?? null
  }

  async #hours(since: number, isLive: boolean): Promise<KeyHour[]> {
    const rows = await this.#options.database.callAside<HourRow>(
      `select tenant_id, key_id, hour, requests::float8, misses::float8, refused::float8, missing::float8
        from ${this.#schema}.watched_hours($1, $2, $3, $4, $5, $6)`,
      [
        new Date(since),
        isLive ? RULES.burst.floor : NEVER,
        isLive ? RULES.domains.floor : NEVER,
        RULES.ended_key.floor,
        RULES.identifiers.floor,
        RULES.ended_keys.floor,
      ],
    )
    return rows.map(({ tenant_id: tenantId, key_id: keyId, hour, ...counts }) => ({
      tenantId,
      keyId,
      hour: hour.getTime(),
      ...counts,
    }))
  }

  /** What is usual in these hours, for tenants of which it is not known yet. */
  async #learn(hours: readonly KeyHour[]): Promise<void> {
    const unknown = new Map<string, Set<number>>()
    for (const { tenantId, hour } of hours) {
      if (this.#usual.has(`${tenantId} ${hour}`)) continue
      unknown.set(tenantId, (unknown.get(tenantId) ?? new Set()).add(hour))
    }
    const tenants = [...unknown.keys()]
    while (tenants.length > 0) {
      const some = tenants.splice(0, TENANTS_AT_ONCE)
      const first = Math.min(...hours.map(({ hour }) => hour))
      const rows = await this.#options.database.callAside<HistoryRow>(
        `select tenant_id, hour, requests::float8, misses::float8
          from ${this.#schema}.watched_history($1, $2)`,
        [some, new Date(first - (HISTORY_DAYS + 1) * DAY_MS)],
      )
      const history = Map.groupBy(rows, ({ tenant_id }) => tenant_id)
      for (const tenantId of some) {
        const own = history.get(tenantId) ?? []
        const counted = (field: "requests" | "misses"): Counted[] =>
          own.map((row) => ({ hour: row.hour.getTime(), count: row[field] }))
        for (const hour of unknown.get(tenantId) ?? []) {
          this.#usual.set(`${tenantId} ${hour}`, {
            requests: usualHour(counted("requests"), hour),
            misses: usualHour(counted("misses"), hour),
          })
        }
      }
    }
  }

  async #unknownKeys(now: number): Promise<Counted[]> {
    const rows = await this.#options.database.callAside<{ hour: Date; requests: number }>(
      `select hour, requests::float8 from ${this.#schema}.watched_unknown_keys($1, $2)`,
      [RULES.unknown_keys.floor, new Date(now - (HISTORY_DAYS + 1) * DAY_MS)],
    )
    return rows.map(({ hour, requests }) => ({ hour: hour.getTime(), count: requests }))
  }

  async #networks(now: number): Promise<KeyNetworks[]> {
    const rows = await this.#options.database.callAside<NetworksRow>(
      `select tenant_id, key_id, today, before from ${this.#schema}.watched_networks($1, $2)`,
      [new Date(now).toISOString().slice(0, 10), RULES.networks.floor],
    )
    return rows.map(({ tenant_id: tenantId, key_id: keyId, today, before }) => ({
      tenantId,
      keyId,
      today: Math.round(today),
      before,
    }))
  }

  async #domains(tenantId: string, hour: number): Promise<number> {
    const [row] = await this.#options.database.callAside<{ domains: number }>(
      `select ${this.#schema}.watched_domains($1, $2, $3)::float8 as domains`,
      [tenantId, new Date(hour), new Date(hour + HOUR_MS)],
    )
    return row?.domains ?? 0
  }
}

interface HourRow {
  readonly tenant_id: string
  readonly key_id: string
  readonly hour: Date
  readonly requests: number
  readonly misses: number
  readonly refused: number
  readonly missing: number
}

interface HistoryRow {
  readonly tenant_id: string
  readonly hour: Date
  readonly requests: number
  readonly misses: number
}

interface NetworksRow {
  readonly tenant_id: string
  readonly key_id: string
  readonly today: number
  readonly before: readonly number[]
}
