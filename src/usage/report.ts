/**
 * What a tenant used: its own usage rows of a month, counted, beside what it was charged.
 *
 * Owns: the numbers of metered routes, and the report. Not: writing rows (admission/).
 * Invariant: units of the rows add up to the charge: both are read at one moment.
 * Trust: row security alone decides which rows are the tenant's.
 */
import { encodeId } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Environment, Tx } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"

/** Metered routes. The numbers lie in the database: add, never reuse. */
export const ROUTES = {
  "GET /v1/analyze": 1,
  "GET /v1/usage": 2,
  "GET /v1/keys": 10,
  "POST /v1/keys": 11,
  "GET /v1/keys/me": 12,
  "GET /v1/keys/{id}": 13,
  "PATCH /v1/keys/{id}": 14,
  "POST /v1/keys/{id}/rotate": 15,
  "POST /v1/keys/{id}/disable": 16,
  "POST /v1/keys/{id}/enable": 17,
  "POST /v1/keys/{id}/revoke": 18,
  "GET /v1/events": 30,
} as const

export type Route = keyof typeof ROUTES

const NAMES = new Map<number, string>(Object.entries(ROUTES).map(([name, id]) => [id, name]))

/** @returns Its method and path; the number of one that this release does not know. */
export function routeName(route: number): string {
  return NAMES.get(route) ?? `${route}`
}

export interface Count {
  /** Answers, refused ones included. */
  readonly requests: number
  /** Those below 400. */
  readonly served: number
  /** What they cost. */
  readonly units: number
}

/** Answers that have all of this in common. */
export interface Line extends Count {
  /** In UTC, `YYYY-MM-DD`. */
  readonly day: string
  /** `key_…`. */
  readonly key: string
  readonly route: string
  /** `null`: admitted, and the outcome is not known (yet). */
  readonly status: number | null
}

export interface Charge {
  /** Of the month, as admission counts them. */
  readonly units: number
  /** The plan's; null: any number. */
  readonly per_month: number | null
  /** Null without a limit, and for months gone by. */
  readonly left: number | null
  /** Past them, requests are served and counted all the same. */
  readonly soft: boolean
}

export interface UsageReport {
  readonly plan: string
  readonly period: { readonly from: string; readonly to: string }
  readonly charge: Charge
  readonly total: Count
  readonly by_day: readonly (Count & { readonly day: string })[]
  readonly by_route: readonly (Count & { readonly route: string })[]
  readonly by_key: readonly (Count & { readonly key: string })[]
  readonly by_status: readonly {
    readonly status: number | null
    readonly requests: number
    readonly units: number
  }[]
}

/** A month of a tenant: what it was charged, and its answers in lines. */
export interface Usage {
  readonly plan: string
  readonly period: { readonly from: string; readonly to: string }
  readonly charge: Charge
  /** By day, key, route and status. */
  readonly lines: readonly Line[]
}

interface Row {
  readonly plan: string
  readonly charged: number
  readonly per_month: number | null
  readonly soft: boolean
  readonly is_now: boolean
  readonly day: string | null
  readonly key_id: string
  readonly route: number
  readonly status: number | null
  readonly requests: number
  readonly units: number
}

/**
 * @param month - `YYYY-MM`, a calendar month in UTC.
 * @throws Problem `INVALID_REQUEST` for what is no month.
 */
export async function readUsage(tx: Tx, environment: Environment, month: string): Promise<Usage> {
  const from = new Date(`${month}-01T00:00:00.000Z`)
  if (!/^\d{4}-\d{2}$/.test(month) || Number.isNaN(from.getTime())) {
    throw new Problem("INVALID_REQUEST", {
      message: `'${month}' is not a month; write it like 2026-11.`,
    })
  }
  const to = new Date(from)
  to.setUTCMonth(to.getUTCMonth() + 1)
  const schema = SCHEMAS[environment]
  await tx.query("set local plan_cache_mode = force_custom_plan") // the month's partitions alone
  // One statement, so that rows and charge are of one moment. Hours before closed_to are added up.
  const rows = await tx.query<Row>(
    `select t.plan, p.soft, p.units_per_month::float8 as per_month,
        date_trunc('month', clock_timestamp() at time zone 'UTC') = $3::date as is_now,
        coalesce((select units from ${schema}.charge where month = $3), 0)::float8 as charged,
        u.*
      from platform.tenant t
      join platform.plan p on p.name = t.plan
      left join (
        select to_char(part.day, 'YYYY-MM-DD') as day, key_id, route, nullif(status, 0) as status,
            sum(requests)::float8 as requests, sum(units)::float8 as units
          from (
            select (at at time zone 'UTC')::date as day, key_id, route, coalesce(status, 0) as status,
                count(*) as requests, sum(units) as units
              from ${schema}.usage
              where at >= $1 and at < $2 and at >= (select closed_to from ${schema}.usage_progress)
              group by 1, 2, 3, 4
            union all
            select (hour at time zone 'UTC')::date, key_id, route, status, requests, units
              from ${schema}.usage_hour
              where hour >= $1 and hour < $2
                and hour >= (select date_trunc('day', closed_to, 'UTC') from ${schema}.usage_progress)
            union all
            select day, key_id, route, status, requests, units from ${schema}.usage_day
              where day >= $3::date and day < $3::date + interval '1 month'
          ) part
          group by 1, 2, 3, 4
      ) u on true
      order by u.day, u.key_id, u.route, u.status`,
    [from, to, `${month}-01`],
  )
  const [first] = rows
  if (first === undefined) throw new Problem("NOT_FOUND")
  // Test keys are not counted, whatever the plan says.
  const per_month = environment === "live" ? first.per_month : null
  const hasLeft = per_month !== null && first.is_now
  return {
    plan: first.plan,
    period: { from: from.toISOString(), to: to.toISOString() },
    charge: {
      units: first.charged,
      per_month,
      left: hasLeft ? Math.max(0, per_month - first.charged) : null,
      soft: first.soft,
    },
    lines: rows.flatMap(({ day, key_id, route, status, requests, units }) =>
      day === null
        ? []
        : {
            day,
            key: encodeId("key", key_id),
            route: routeName(route),
            status,
            requests,
            served: status !== null && status < 400 ? requests : 0,
            units,
          },
    ),
  }
}

/** @returns The lines of a month added up, each way. */
export function reportOf({ plan, period, charge, lines }: Usage): UsageReport {
  return {
    plan,
    period,
    charge,
    total: count(lines),
    by_day: group(lines, "day").map(([day, part]) => ({ day, ...count(part) })),
    by_route: group(lines, "route").map(([route, part]) => ({ route, ...count(part) })),
    by_key: group(lines, "key").map(([key, part]) => ({ key, ...count(part) })),
    by_status: group(lines, "status").map(([, part]) => {
      const { requests, units } = count(part)
      return { status: part[0]?.status ?? null, requests, units }
    }),
  }
}

/** @returns Lines with the same value there, sorted by it; unknown statuses last. */
export function group<L extends Line, F extends keyof L>(
  lines: readonly L[],
  field: F,
): [string, L[]][] {
  const groups = Map.groupBy(lines, (line) => String(line[field] ?? "unknown"))
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1))
}

export function count(lines: readonly Count[]): Count {
  let [requests, served, units] = [0, 0, 0]
  for (const line of lines) {
    requests += line.requests
    served += line.served
    units += line.units
  }
  return { requests, served, units }
}
