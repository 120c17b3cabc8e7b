/**
 * What was asked of the deployment in a while, all tenants together, as zt_health may see it.
 *
 * Invariant: aggregates of recorded rows; nothing of a tenant, a key or a request.
 */
import type { Database, Environment } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import { routeName } from "./report.ts"

export interface Traffic {
  readonly environment: Environment
  readonly answers: readonly {
    readonly route: string
    /** 2 to 5; null: the outcome is not known. */
    readonly statusClass: number | null
    /** Index into the latency buckets; null with an unknown outcome. */
    readonly latencyBucket: number | null
    readonly requests: number
  }[]
  /** Requests with well-formed keys that nobody has. */
  readonly unknownKeys: number
}

/** Of time that one statement looks at: with a day's rows in place it stays short. */
const STEP_MS = 60_000

/** @param since - Milliseconds since the epoch, like `until`, which is not in it. */
export function readTraffic(database: Database, since: number, until: number): Promise<Traffic[]> {
  return database.asHealth(async (tx) => {
    const all: Traffic[] = []
    for (const environment of ["live", "test"] as const) {
      const schema = SCHEMAS[environment]
      const answers = new Map<string, Traffic["answers"][number]>()
      for (let from = since; from < until; from += STEP_MS) {
        const rows = await tx.query<Row>(
          `select route, status_class, latency_bucket, requests::float8 as requests
            from ${schema}.traffic($1, $2)`,
          [new Date(from), new Date(Math.min(from + STEP_MS, until))],
        )
        for (const { route, status_class, latency_bucket, requests } of rows) {
          const name = `${route} ${status_class} ${latency_bucket}`
          answers.set(name, {
            route: routeName(route),
            statusClass: status_class,
            latencyBucket: latency_bucket,
            requests: requests + (answers.get(name)?.requests ?? 0),
          })
        }
      }
      const [unknown] = await tx.query<{ requests: number }>(
        `select coalesce(sum(requests), 0)::float8 as requests from ${schema}.unknown_key
          where minute >= $1 and minute < $2`,
        [new Date(since), new Date(until)],
      )
      all.push({
        environment,
        answers: [...answers.values()],
        unknownKeys: unknown?.requests ?? 0,
      })
    }
    return all
  })
}

interface Row {
  readonly route: number
  readonly status_class: number | null
  readonly latency_bucket: number | null
  readonly requests: number
}
