/**
 * Findings and throttles as an operator has them: list, show, dismiss, throttle, lift.
 *
 * Owns: how they are read and told. Not: recording findings (look.ts), and what holding a key to a rate
 * does and puts back, with its audit entry and event (the migration's functions).
 */
import type { Id } from "../../core/ids.ts"
import { decodeId, encodeId } from "../../core/ids.ts"
import { Problem } from "../../core/problem.ts"
import type { Environment, Tx } from "../../db/database.ts"
import { SCHEMAS } from "../../db/database.ts"
import { DEPLOYMENT } from "./detectors.ts"
import { ruleOf } from "./rules.ts"

const ENVIRONMENTS = ["live", "test"] as const

/** Times are RFC 3339 in UTC. */
export interface ShownFinding {
  readonly id: Id<"fnd">
  readonly environment: Environment
  readonly rule: string
  /** What was seen, in words; figures are in `measured` and `threshold`. */
  readonly title: string
  readonly meaning: string
  /** Null: no tenant's. */
  readonly tenant: Id<"ten"> | null
  /** Null: all keys of the tenant. */
  readonly key: Id<"key"> | null
  readonly measured: number
  readonly threshold: number
  readonly first_at: string
  readonly last_at: string
  /** `throttled`: keys are held to a rate for it now. `over`: not seen for a day. */
  readonly state: "open" | "throttled" | "dismissed" | "over"
  /** Rules are silent for whom it concerns until then. */
  readonly quiet_until: string | null
}

/** A key that is held to a lower rate. */
export interface ShownThrottle {
  readonly key: Id<"key">
  readonly tenant: Id<"ten">
  readonly environment: Environment
  /** Null: an operator's own. */
  readonly finding: Id<"fnd"> | null
  readonly actor: string
  readonly since: string
  readonly until: string
  readonly requests_per_second: number
  readonly burst: number
  /** What is put back; null: no limit. */
  readonly was_requests_per_second: number | null
}

export interface ThrottleRequest {
  readonly perSecond: number
  readonly burst: number
  readonly until: Date
}

/** @param all - Also those that are over or were dismissed. @returns The newest first. */
export async function listFindings(tx: Tx, all: boolean): Promise<ShownFinding[]> {
  const rows = await tx.query<FindingRow>(
    `select * from (${ENVIRONMENTS.map(findingsOf).join(" union all ")}) f
      where $1 or not is_over and dismissed_at is null or is_throttled
      order by last_at desc limit 1000`,
    [all],
  )
  return rows.map(shownFinding)
}

/** @returns Keys that are held to a rate; those of one finding where it is named. */
export async function listThrottles(tx: Tx, finding?: string): Promise<ShownThrottle[]> {
  const rows = await tx.query<ThrottleRow>(
    `${ENVIRONMENTS.map(
      (
        environment,
      ) => `select '${environment}' as environment, t.* from ${SCHEMAS[environment]}.throttle t
        where $1::uuid is null or t.finding_id = $1`,
    ).join(" union all ")} order by since, key_id`,
    [finding === undefined ? null : findingUuid(finding)],
  )
  return rows.map((row) => ({
    key: encodeId("key", row.key_id),
    tenant: encodeId("ten", row.tenant_id),
    environment: row.environment,
    finding: row.finding_id === null ? null : encodeId("fnd", row.finding_id),
    actor: row.actor,
    since: row.since.toISOString(),
    until: row.until.toISOString(),
    requests_per_second: row.requests_per_second,
    burst: row.burst,
    was_requests_per_second: row.was_requests_per_second,
  }))
}

/** @throws Problem `NOT_FOUND` */
export async function findFinding(tx: Tx, id: string): Promise<ShownFinding> {
  return shownFinding(await findRow(tx, id))
}

/**
 * Says that a finding is none: its rule is quiet for whom it concerns, and what it throttled is put back.
 * @throws Problem `NOT_FOUND`
 */
export async function dismissFinding(
  tx: Tx,
  id: string,
  quietDays: number,
  actor: string,
): Promise<{ readonly finding: ShownFinding; readonly lifted: number }> {
  const row = await findRow(tx, id)
  const [done] = await tx.query<{ lifted: number }>(
    `select ${SCHEMAS[row.environment]}.dismiss_finding($1, $2, $3, $4) as lifted`,
    [row.tenant_id, row.id, quietDays, actor],
  )
  return { finding: shownFinding(await findRow(tx, id)), lifted: done?.lifted ?? 0 }
}

/**
 * Holds a key, or all keys of a tenant, to a rate until a time.
 * @returns Keys that are held now and were not before.
 * @throws Problem `NOT_FOUND`, `CONFLICT` where none is to be held, `INVALID_REQUEST`.
 */
export async function throttle(
  tx: Tx,
  subject: string,
  { perSecond, burst, until }: ThrottleRequest,
  actor: string,
): Promise<{ readonly keys: number }> {
  const places = await placesOf(tx, subject)
  let keys = 0
  for (const { environment, tenantId, uuid } of places) {
    const [row] = await tx.query<{ keys: number }>(
      `select ${SCHEMAS[environment]}.throttle_keys($1, $2, $3, $4, $5, $6) as keys`,
      [tenantId, uuid, perSecond, burst, until, actor],
    )
    keys += row?.keys ?? 0
  }
  if (keys > 0) return { keys }
  throw new Problem("CONFLICT", {
    message: `Nothing to hold: ${subject} has ended, is as slow already, or is throttled; 'abuse lift ${subject}' puts that back first.`,
  })
}

/**
 * Puts back what keys had before: of a key, of a tenant, or of a finding, which throttles no more.
 * @returns Keys that were held.
 * @throws Problem `NOT_FOUND`
 */
export async function lift(
  tx: Tx,
  subject: string,
  actor: string,
): Promise<{ readonly keys: number }> {
  let keys = 0
  const places = subject.startsWith("fnd_")
    ? [await findRow(tx, subject)].map(({ environment, tenant_id, id }) => ({
        environment,
        tenantId: tenant_id,
        uuid: null,
        finding: id,
      }))
    : (await placesOf(tx, subject)).map((place) => ({ ...place, finding: null }))
  for (const { environment, tenantId, uuid, finding } of places) {
    const [row] = await tx.query<{ keys: number }>(
      `select ${SCHEMAS[environment]}.lift_throttle($1, $2, $3, $4) as keys`,
      [tenantId, uuid, finding, actor],
    )
    keys += row?.keys ?? 0
  }
  return { keys }
}

interface Place {
  readonly environment: Environment
  readonly tenantId: string
  readonly uuid: string
}

/** Where the keys lie that an id means: one, or a tenant's in both environments. */
async function placesOf(tx: Tx, subject: string): Promise<Place[]> {
  const tenant = decodeId("ten", subject)
  if (tenant !== undefined) {
    const [row] = await tx.query("select from platform.tenant where id = $1", [tenant])
    if (row !== undefined) {
      return ENVIRONMENTS.map((environment) => ({ environment, tenantId: tenant, uuid: tenant }))
    }
  }
  const key = decodeId("key", subject)
  for (const environment of key === undefined ? [] : ENVIRONMENTS) {
    const [row] = await tx.query<{ tenant_id: string }>(
      `select tenant_id from ${SCHEMAS[environment]}.api_key where id = $1`,
      [key],
    )
    if (row !== undefined && key !== undefined) {
      return [{ environment, tenantId: row.tenant_id, uuid: key }]
    }
  }
  throw new Problem("NOT_FOUND", {
    message: "There is no such key or tenant; ids begin with 'key_' or 'ten_'.",
  })
}

function findingsOf(environment: Environment): string {
  const schema = SCHEMAS[environment]
  return `select '${environment}' as environment, f.*, f.last_at < clock_timestamp() - interval '1 day' as is_over,
      exists (select from ${schema}.throttle t
        where t.tenant_id = f.tenant_id and t.finding_id = f.id) as is_throttled
    from ${schema}.finding f`
}

async function findRow(tx: Tx, id: string): Promise<FindingRow> {
  const [row] = await tx.query<FindingRow>(
    `select * from (${ENVIRONMENTS.map(findingsOf).join(" union all ")}) f where id = $1`,
    [findingUuid(id)],
  )
  if (row === undefined) throw new Problem("NOT_FOUND", { message: `There is no finding ${id}.` })
  return row
}

/** @throws Problem `NOT_FOUND`. Not with the text itself: it can be anything. */
function findingUuid(id: string): string {
  const uuid = decodeId("fnd", id)
  if (uuid !== undefined) return uuid
  throw new Problem("NOT_FOUND", {
    message: "That is no finding's id; one begins with 'fnd_', and 'abuse list' shows them.",
  })
}

function shownFinding(row: FindingRow): ShownFinding {
  const rule = ruleOf(row.rule)
  const { tenant_id: tenantId, subject } = row
  return {
    id: encodeId("fnd", row.id),
    environment: row.environment,
    rule: row.rule,
    title: rule?.title ?? "a rule of another release",
    meaning: rule?.meaning ?? "",
    tenant: tenantId === DEPLOYMENT ? null : encodeId("ten", tenantId),
    key: subject === tenantId ? null : encodeId("key", subject),
    measured: Number(row.measured),
    threshold: Number(row.threshold),
    first_at: row.first_at.toISOString(),
    last_at: row.last_at.toISOString(),
    state: stateOf(row),
    quiet_until: row.quiet_until?.toISOString() ?? null,
  }
}

function stateOf(row: FindingRow): ShownFinding["state"] {
  if (row.is_throttled) return "throttled"
  if (row.dismissed_at !== null) return "dismissed"
  return row.is_over ? "over" : "open"
}

interface FindingRow {
  readonly environment: Environment
  readonly tenant_id: string
  readonly id: string
  readonly rule: string
  readonly subject: string
  readonly measured: string
  readonly threshold: string
  readonly first_at: Date
  readonly last_at: Date
  readonly dismissed_at: Date | null
  readonly quiet_until: Date | null
  readonly is_over: boolean
  readonly is_throttled: boolean
}

interface ThrottleRow {
  readonly environment: Environment
  readonly tenant_id: string
  readonly key_id: string
  readonly finding_id: string | null
  readonly actor: string
  readonly since: Date
  readonly until: Date
  readonly requests_per_second: number
  readonly burst: number
  readonly was_requests_per_second: number | null
}
