/** GET /v1/usage: what the key's tenant used in a month, of the key's environment. */
import { createRoute, OpenAPIHono } from "@hono/zod-openapi"
import { usageReport } from "../../usage/report.ts"
import type { UsageBody } from "../contract.ts"
import { Usage, UsageQuery } from "../contract.ts"
import { metered } from "../metered.ts"
import type { AppEnv, Parts } from "../parts.ts"
import { answer, KEYED, refusals } from "../refusals.ts"

const route = createRoute({
  method: "get",
  path: "/v1/usage",
  operationId: "getUsage",
  tags: ["Account"],
  summary: "What you used",
  description:
    "Answers of a calendar month in UTC, by day, route and status. The request that asks is among them, with a status of null.",
  request: { query: UsageQuery },
  responses: { 200: answer("The month so far.", Usage), ...refusals(...KEYED) },
})

export function usageRoutes(parts: Parts): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>()
  app.openAPIRegistry.registerPath(route)
  app.get(
    route.path,
    metered(parts, {
      route: "GET /v1/usage",
      query: UsageQuery,
      async work({ month }, { environment, tenantId }) {
        const asked = month ?? new Date(parts.now()).toISOString().slice(0, 7)
        const body = await parts.database.asTenant(environment, tenantId, async (tx) => {
          const [tenant] = await tx.query<{ plan: string }>("select plan from platform.tenant")
          const report = await usageReport(tx, environment, asked)
          return { environment, plan: tenant?.plan ?? "unlimited", ...report } as UsageBody
        })
        return { body: JSON.stringify(body), cacheHit: false }
      },
    }),
  )
  return app
}
