/**
 * A batch: the requests that one statement admits, and the outcomes that it writes.
 *
 * Owns: how both are sent, and how what comes back is read. Not: when (lane.ts).
 */
import type { ProblemCode } from "../core/problem.ts"
import { Problem } from "../core/problem.ts"

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
  /** Units that it costs when it is answered below 400; test keys' cost nothing. */
  readonly cost: number
  /** Bits of the scopes that the route needs. */
  readonly scope: number
  /** Of the client, as text; for keys that are bound to addresses. */
  readonly address?: string | undefined
  /** Whose key it is, where that is known: see `Admission.callerOf`. */
  readonly caller?: Caller | undefined
  /** Known already when the answer lies ready; else it follows by `finish`. */
  readonly outcome?: Outcome
}

/** Whom a key belongs to; says nothing about whether the key is good. */
export interface Caller {
  readonly tenantId: string
  readonly keyId: string
}

/** What is left for a key, after the batch that its request was in. */
export interface Limits {
  /** Requests; undefined without a rate. */
  readonly rate?: { readonly perSecond: number; readonly burst: number; readonly left: number }
  /** Units of the calendar month (UTC); undefined without a quota. */
  readonly quota?: { readonly perMonth: number; readonly left: number }
}

/**
 * @param admittedAt - When, as the database writes it; `finish` takes it back.
 * @param limits - Of the key, where it has any; also with a refusal for want of them.
 */
export type Settled = (
  result: Caller | Problem,
  admittedAt: string,
  limits: Limits | undefined,
) => void

export interface Finished extends Outcome {
  readonly tenantId: string
  readonly admittedAt: string
  readonly requestId: string
}

export interface Batch {
  readonly arrivals: { readonly arrival: Arrival; readonly settle: Settled }[]
  readonly finished: { readonly finished: Finished; readonly settle: (error?: unknown) => void }[]
}

/** What the admission statement answers; see its migration. */
export interface Answer {
  readonly at: string
  /** Arrivals: position from 1, why, milliseconds to wait. */
  readonly refused?: readonly Refusal[] | null
  /** Keys that were not known: number from 1, tenant, key. */
  readonly introduced?: readonly (readonly [number, string, string])[] | null
  /** Of keys, by number from 1. */
  readonly limits?: readonly LimitsOf[] | null
  /** Of all keys of tenants, by id. */
  readonly tenant_limits?: readonly LimitsOf[] | null
}

type Refusal = readonly [number, ProblemCode | typeof TOO_MANY_AT_ONCE, number | null]
type Count = number | null
/** Of whom; requests a second, burst, what is left; units a month, what is left. */
type LimitsOf = readonly [number | string, Count, Count, Count, Count, Count]

/** Of the statement alone: the plan's concurrency is reached. */
const TOO_MANY_AT_ONCE = "TOO_MANY_AT_ONCE"

/** Upper bounds; the last bucket has none. */
export const LATENCY_BUCKETS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]

/** @returns The bucket of a latency in milliseconds. */
export function latencyBucket(ms: number): number {
  const index = LATENCY_BUCKETS_MS.findIndex((bound) => ms <= bound)
  return index === -1 ? LATENCY_BUCKETS_MS.length : index
}

export function emptyBatch(): Batch {
  return { arrivals: [], finished: [] }
}

/** Array literals, built as text in one pass: hex, UUIDs, base62 and numbers need no quotes. */
export class Values {
  /** In the order of the statement's parameters, after the batch's id. */
  readonly arrivals: readonly string[]
  /** Those of what ended. */
  readonly finished: readonly string[]
  readonly requestIds: string
  /** Each arrival's key, by its number from 1. */
  readonly keys: readonly number[]

  constructor({ arrivals, finished }: Batch) {
    const numbers = new Map<string, number>()
    const tenants = new Set<string>()
    const keys: number[] = []
    const wanted: number[] = []
    const units: number[] = []
    const scopes: number[] = []
    let [index8, digest, introduce, key, request, kind, address] = Array(7).fill("")
    let [route, cost, scope, status, latency, hit] = Array(6).fill("")
    let kinds = 0
    let last: Arrival | undefined
    for (const { arrival } of arrivals) {
      const { outcome } = arrival
      let number = numbers.get(arrival.digest)
      if (number === undefined) {
        number = numbers.size + 1
        numbers.set(arrival.digest, number)
        index8 += `,${arrival.index8}`
        digest += `,${arrival.digest}`
        if (arrival.caller === undefined) introduce += `,${number}`
        else tenants.add(arrival.caller.tenantId)
        wanted.push(0)
        units.push(0)
        scopes.push(0)
      }
      const charged = outcome !== undefined && outcome.status >= 400 ? 0 : arrival.cost
      wanted[number - 1] = (wanted[number - 1] ?? 0) + 1
      units[number - 1] = (units[number - 1] ?? 0) + charged
      scopes[number - 1] = (scopes[number - 1] ?? 0) | arrival.scope
      if (last === undefined || !isOfKind(arrival, last)) {
        kinds += 1
        route += `,${arrival.route}`
        cost += `,${charged}`
        scope += `,${arrival.scope}`
        status += `,${outcome?.status ?? "NULL"}`
        latency += `,${outcome?.latencyBucket ?? "NULL"}`
        hit += `,${outcome?.cacheHit ?? "NULL"}`
      }
      last = arrival
      keys.push(number)
      key += `,${number}`
      request += `,${arrival.requestId}`
      kind += `,${kinds}`
      address += `,${arrival.address ?? "NULL"}`
    }
    for (const { finished: end } of finished) tenants.add(end.tenantId)
    this.keys = keys
    this.requestIds = literal(request)
    this.arrivals = [
      ...[index8, digest, introduce, key, request, kind, address].map(literal),
      ...[[...tenants], wanted, units, scopes].map((list) => `{${list}}`),
      ...[route, cost, scope, status, latency, hit].map(literal),
    ]
    let [tenant, at, id, endStatus, endLatency, endHit] = Array(6).fill("")
    for (const { finished: end } of finished) {
      tenant += `,${end.tenantId}`
      at += `,"${end.admittedAt}"`
      id += `,${end.requestId}`
      endStatus += `,${end.status}`
      endLatency += `,${end.latencyBucket}`
      endHit += `,${end.cacheHit}`
    }
    this.finished = [tenant, at, id, endStatus, endLatency, endHit].map(literal)
  }
}

/** Most often it is as the one before. */
function isOfKind(one: Arrival, other: Arrival): boolean {
  return (
    one.route === other.route &&
    one.cost === other.cost &&
    one.scope === other.scope &&
    one.outcome === other.outcome
  )
}

function literal(text: string): string {
  return `{${text.slice(1)}}`
}

/** Tells each of a batch what the statement answered. @param known - Callers by digest, added to. */
export function settleBatch(
  { arrivals, finished }: Batch,
  keys: readonly number[],
  answer: Answer | null | undefined,
  known: { get(digest: string): Caller | undefined; set(digest: string, caller: Caller): unknown },
): void {
  const refused = new Map(answer?.refused?.map((refusal) => [refusal[0], refusal]))
  const introduced = new Map(
    answer?.introduced?.map(([key, tenantId, keyId]) => [key, { tenantId, keyId }]),
  )
  const limits = new Map(
    [...(answer?.limits ?? []), ...(answer?.tenant_limits ?? [])].map((of) => [
      of[0],
      readLimits(of),
    ]),
  )
  for (const [index, { arrival, settle }] of arrivals.entries()) {
    const key = keys[index] ?? 0
    const own = introduced.get(key)
    if (own !== undefined && arrival.caller === undefined) known.set(arrival.digest, own)
    const caller = arrival.caller ?? own ?? known.get(arrival.digest)
    const refusal = refused.get(index + 1)
    const result = refusal === undefined && caller ? caller : problemOf(refusal)
    settle(result, answer?.at ?? "", limits.get(key) ?? limits.get(caller?.tenantId ?? ""))
  }
  for (const { settle } of finished) settle()
}

function problemOf(refusal: Refusal | undefined): Problem {
  const [, reason, retryMs] = refusal ?? [0, "INVALID_KEY", null]
  const retry = retryMs !== null && {
    retryAfterSeconds: Math.max(1, Math.ceil(retryMs / 1000)),
  }
  if (reason !== TOO_MANY_AT_ONCE) return new Problem(reason, { ...retry })
  return new Problem("RATE_LIMITED", {
    ...retry,
    message: "As many requests of yours are running as the plan allows at once: wait for one.",
    details: { limit: "concurrency" },
  })
}

function readLimits([, perSecond, burst, left, perMonth, unitsLeft]: LimitsOf): Limits | undefined {
  if (perSecond === null && perMonth === null) return undefined
  return {
    ...(perSecond !== null && { rate: { perSecond, burst: burst ?? 0, left: left ?? 0 } }),
    ...(perMonth !== null && { quota: { perMonth, left: unitsLeft ?? 0 } }),
  }
}

/** Tells all of a batch that there is no deciding now. */
export function refuseBatch({ arrivals, finished }: Batch, cause?: unknown): void {
  const problem = new Problem("UNAVAILABLE", { retryAfterSeconds: 1, cause })
  for (const { settle } of arrivals) settle(problem, "", undefined)
  for (const { settle } of finished) settle(problem)
}

/** @returns The batch in parts, one a tenant; those whose tenant is not known are parts of their own key. */
export function byTenant({ arrivals, finished }: Batch): Map<string, Batch> {
  const parts = new Map<string, Batch>()
  const part = (name: string) => {
    const found = parts.get(name) ?? emptyBatch()
    parts.set(name, found)
    return found
  }
  for (const one of arrivals) {
    part(one.arrival.caller?.tenantId ?? one.arrival.digest).arrivals.push(one)
  }
  for (const one of finished) part(one.finished.tenantId).finished.push(one)
  return parts
}
