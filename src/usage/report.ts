/**
 * What a tenant used: its own usage rows of a month, counted.
 *
 * Owns: the numbers of metered routes, and the report. Not: writing rows (admission/).
 * Trust: row security alone decides which rows are the tenant's.
 */
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
} as const

export type Route = keyof typeof ROUTES

const NAMES = new Map<number, string>(Object.entries(ROUTES).map(([name, id]) => [id, name]))

export interface Count {
  /** Answers, refused ones included. */
  readonly requests: number
  /** Those below 400. */
  readonly served: number
}

export interface UsageReport {
  readonly period: { readonly from: string; readonly to: string }
  readonly total: Count
  readonly by_day: readonly (Count & { readonly day: string })[]
  readonly by_route: readonly (Count & { readonly route: string })[]
  /** `null`: admitted, and its outcome is not known (yet). */
  readonly by_status: readonly { readonly status: number | null; readonly requests: number }[]
}

interface Row {
  readonly day: string
  readonly route: number
  readonly status: number | null
  readonly requests: number
}

/**
 * @param month - `YYYY-MM`, a calendar month in UTC.
 * @throws Problem `INVALID_REQUEST` for what is no month.
 */
export async function usageReport(
  tx: Tx,
  environment: Environment,
  month: string,
): Promise<UsageReport> {
  const from = new Date(`${month}-01T00:00:00.000Z`)
  if (!/^\d{4}-\d{2}$/.test(month) || Number.isNaN(from.getTime())) {
    throw new Problem("INVALID_REQUEST", {
      message: `'${month}' is not a month; write it like 2026-11.`,
    })
  }
  const to = new Date(from)
  to.setUTCMonth(to.getUTCMonth() + 1)
  const rows = await tx.query<Row>(
    `select to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day, route, status,
        count(*)::integer as requests
      from ${SCHEMAS[environment]}.usage
      where at >= $1 and at < $2
      group by 1, 2, 3`,
    [from, to],
  )
  return {
    period: { from: from.toISOString(), to: to.toISOString() },
    total: count(rows),
    by_day: group(rows, (row) => row.day).map(([day, part]) => ({ day, ...count(part) })),
    by_route: group(rows, (row) => NAMES.get(row.route) ?? `${row.route}`).map(([route, part]) => ({
      route,
      ...count(part),
    })),
    by_status: group(rows, (row) => `${row.status ?? 999}`).map(([status, part]) => ({
      status: status === "999" ? null : Number(status),
      requests: count(part).requests,
    })),
  }
}

function group(rows: readonly Row[], key: (row: Row) => string): [string, Row[]][] {
  const groups = Map.groupBy(rows, key)
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1))
}

function count(rows: readonly Row[]): Count {
  let requests = 0
  let served = 0
  for (const row of rows) {
    requests += row.requests
    if (row.status !== null && row.status < 400) served += row.requests
  }
  return { requests, served }
}
