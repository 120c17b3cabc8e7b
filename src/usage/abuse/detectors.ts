/**
 * Detectors: what was counted → what is suspicious. One function a rule, without clock or database.
 *
 * Owns: which counts a rule looks at. Not: the figures (rules.ts), where counts come from (look.ts).
 */
import type { Rule, RuleName } from "./rules.ts"
import { RULES, SLOWEST } from "./rules.ts"
import type { Counted, Usual } from "./usual.ts"
import { usualHour, usualOf } from "./usual.ts"

/** An hour of a key, as its usage rows add up. */
export interface KeyHour {
  readonly tenantId: string
  readonly keyId: string
  /** Start, milliseconds since the epoch. */
  readonly hour: number
  readonly requests: number
  /** Analyses that did not lie ready. */
  readonly misses: number
  /** 401: the key was ended or disabled. */
  readonly refused: number
  /** 404: what was named by its id is not there. */
  readonly missing: number
}

/** A key's day. */
export interface KeyNetworks {
  readonly tenantId: string
  readonly keyId: string
  /** About how many networks today. */
  readonly today: number
  /** Of each earlier day on which it was used, 28 at most. */
  readonly before: readonly number[]
}

export interface TenantUsual {
  readonly requests: Usual
  readonly misses: Usual
}

/** What one look sees of one environment. */
export interface Seen {
  /** Hours that are not over, or just. */
  readonly hours: readonly KeyHour[]
  /** Start of the first of them, milliseconds since the epoch. */
  readonly since: number
  /** Requests with unknown keys, by hour, earlier ones too. */
  readonly unknownKeys: readonly Counted[]
  readonly networks: readonly KeyNetworks[]
  /** What is usual for a tenant in an hour; undefined where that is not known. */
  usual(tenantId: string, hour: number): TenantUsual | undefined
  /** How many different domains a tenant asked about in an hour; undefined: at most its misses. */
  domains(tenantId: string, hour: number): number | undefined
}

export interface Finding {
  readonly rule: RuleName
  /** {@link DEPLOYMENT} where it is nobody's. */
  readonly tenantId: string
  /** UUID of the key, or of the tenant where all its keys are meant. */
  readonly subject: string
  readonly measured: number
  readonly threshold: number
  /** What the subject is to be held to. */
  readonly hold?: { readonly perSecond: number; readonly burst: number; readonly hours: number }
}

/** Stands for the tenant of what is no tenant's. */
export const DEPLOYMENT = "00000000-0000-0000-0000-000000000000"

const HOUR_SECONDS = 3_600

/** @returns What any rule finds. */
export function detect(seen: Seen): Finding[] {
  return [unknownKeys, endedKey, endedKeys, identifiers, domains, burst, networks].flatMap((rule) =>
    rule(seen),
  )
}

export function unknownKeys({ unknownKeys: hours, since }: Seen): Finding[] {
  const recent = hours.filter(({ hour }) => hour >= since)
  return recent.flatMap(({ hour, count }) => {
    const threshold = above(RULES.unknown_keys, usualHour(hours, hour).usual)
    return exceeding("unknown_keys", DEPLOYMENT, DEPLOYMENT, count, threshold)
  })
}

export function endedKey({ hours }: Seen): Finding[] {
  return hours.flatMap(({ tenantId, keyId, refused }) =>
    exceeding("ended_key", tenantId, keyId, refused, RULES.ended_key.floor),
  )
}

export function endedKeys({ hours }: Seen): Finding[] {
  return byTenant(hours).flatMap(({ tenantId, keys }) => {
    const tried = keys.filter(({ refused }) => refused > 0).length
    return exceeding("ended_keys", tenantId, tenantId, tried, RULES.ended_keys.floor)
  })
}

export function identifiers({ hours }: Seen): Finding[] {
  const hold = { ...SLOWEST, hours: RULES.identifiers.throttleHours }
  return hours
    .flatMap(({ tenantId, keyId, missing }) =>
      exceeding("identifiers", tenantId, keyId, missing, RULES.identifiers.floor),
    )
    .map((finding) => ({ ...finding, hold }))
}

/** Different domains against how many analyses did not lie ready before: as many domains at most. */
export function domains({ hours, usual, domains: count }: Seen): Finding[] {
  return byTenant(hours).flatMap(({ tenantId, hour, keys }) => {
    const misses = sum(keys, "misses")
    if (misses < RULES.domains.floor) return []
    const known = usual(tenantId, hour)?.misses
    if (known === undefined || known.days < RULES.domains.historyDays) return []
    const threshold = above(RULES.domains, known.usual)
    if (misses < threshold) return []
    const measured = count(tenantId, hour) ?? misses
    return holding(exceeding("domains", tenantId, tenantId, measured, threshold))
  })
}

export function burst({ hours, usual }: Seen): Finding[] {
  return byTenant(hours).flatMap(({ tenantId, hour, keys }) => {
    const requests = sum(keys, "requests")
    if (requests < RULES.burst.floor) return []
    const known = usual(tenantId, hour)?.requests
    if (known === undefined || known.days < RULES.burst.historyDays) return []
    const threshold = above(RULES.burst, known.usual)
    return holding(exceeding("burst", tenantId, tenantId, requests, threshold))
  })
}

export function networks({ networks: keys }: Seen): Finding[] {
  const { historyDays, ratio, floor } = RULES.networks
  return keys.flatMap(({ tenantId, keyId, today, before }) => {
    // What is usual is not known of a young key: it may have as many as would be too many for ten.
    const threshold =
      before.length < historyDays ? ratio * floor : above(RULES.networks, usualOf(before))
    return exceeding("networks", tenantId, keyId, today, threshold)
  })
}

function exceeding(
  rule: RuleName,
  tenantId: string,
  subject: string,
  measured: number,
  threshold: number,
): Finding[] {
  return measured < threshold ? [] : [{ rule, tenantId, subject, measured, threshold }]
}

/** Held to the rate at which it is noticed: what is usual stays possible several times over. */
function holding(findings: readonly Finding[]): Finding[] {
  return findings.map((finding) => {
    const { throttleHours: hours = 1 }: Rule = RULES[finding.rule]
    const perSecond = Math.ceil(finding.threshold / HOUR_SECONDS)
    return { ...finding, hold: { perSecond, burst: 10 * perSecond, hours } }
  })
}

function above({ floor, ratio = 1 }: Rule, usual: number): number {
  return Math.max(floor, Math.ceil(ratio * usual))
}

function sum(keys: readonly KeyHour[], field: "requests" | "misses"): number {
  return keys.reduce((all, key) => all + key[field], 0)
}

function byTenant(hours: readonly KeyHour[]) {
  const groups = Map.groupBy(hours, ({ tenantId, hour }) => `${tenantId} ${hour}`)
  return [...groups.values()].flatMap((keys) => {
    const [first] = keys
    return first === undefined ? [] : [{ tenantId: first.tenantId, hour: first.hour, keys }]
  })
}
