/** GET /v1/usage: what the key's tenant used in a month, of the key's environment. */
import { createRoute, OpenAPIHono } from "@hono/zod-openapi"
import { toCsv, toNdjson } from "../../usage/export.ts"
import type { Usage as Month } from "../../usage/report.ts"
import { readUsage, reportOf } from "../../usage/report.ts"
import type { UsageBody } from "../contract.ts"
import { Usage, UsageQuery } from "../contract.ts"
import { metered } from "../metered.ts"
import type { AppEnv, Parts } from "../parts.ts"
import { answer, KEYED, refusals } from "../refusals.ts"

/** What else than JSON can be had; `format` names one, else Accept does. */
const EXPORTS = {
  csv: { type: "text/csv", body: ({ lines }: Month) => toCsv(lines) },
  ndjson: { type: "application/x-ndjson", body: ({ lines }: Month) => toNdjson(lines) },
} as const

const month = answer("The month so far.", Usage)
const route = createRoute({
  method: "get",
  path: "/v1/usage",
  operationId: "getUsage",
  tags: ["Account"],
  summary: "What you used",
  description:
    "Answers of a calendar month in UTC, by day, route, key and status, and what they were charged. The request that asks is among them, with a status of null. As CSV and NDJSON: a line for each day, key, route and status.",
  request: { query: UsageQuery },
  responses: {
    200: {
      ...month,
      content: {
        ...month.content,
        "text/csv": {
          schema: { type: "string" as const },
          example:
            "day,key,route,status,requests,served,units\r\n2026-11-23,key_01kar0v9z8fjrbh3p5t7wxyqm4,GET /v1/analyze,200,1198,1198,1198\r\n",
        },
        "application/x-ndjson": {
          schema: { type: "string" as const },
          example:
            '{"day":"2026-11-23","key":"key_01kar0v9z8fjrbh3p5t7wxyqm4","route":"GET /v1/analyze","status":200,"requests":1198,"served":1198,"units":1198}\n',
        },
      },
    },
    ...refusals(...KEYED),
  },
})

export function usageRoutes(parts: Parts): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>()
  app.openAPIRegistry.registerPath(route)
  app.get(
    route.path,
    metered(parts, {
      route: "GET /v1/usage",
      query: UsageQuery,
      async work({ month, format }, { environment, tenantId, accept }) {
        const asked = month ?? new Date(parts.now()).toISOString().slice(0, 7)
        const usage = await parts.database.asTenant(environment, tenantId, (tx) =>
          readUsage(tx, environment, asked),
        )
        const wanted = format ?? accepted(accept)
        if (wanted !== "json") {
          const { type, body } = EXPORTS[wanted]
          return { body: body(usage), type, cacheHit: false }
        }
        const body = { environment, ...reportOf(usage) } as UsageBody
        return { body: JSON.stringify(body), cacheHit: false }
      },
    }),
  )
  return app
}

/** The first of an Accept header that can be had, weights apart; JSON where it names none. */
function accepted(accept = ""): "json" | keyof typeof EXPORTS {
  for (const range of accept.split(",")) {
    const type = range.split(";", 1)[0]?.trim().toLowerCase()
    if (type === "application/json") return "json"
    for (const name of ["csv", "ndjson"] as const) if (EXPORTS[name].type === type) return name
  }
  return "json"
}
