/** GET /v1/health, /v1/health/live, /v1/health/ready: open to all, nothing of any tenant. */
import { createRoute, OpenAPIHono } from "@hono/zod-openapi"
import type { HealthBody } from "../contract.ts"
import { Health, Liveness } from "../contract.ts"
import type { AppEnv, Parts } from "../parts.ts"
import { answer, EVERYWHERE, refusals } from "../refusals.ts"

const since = "2026-11-23T10:00:00.000Z"
const WELL: HealthBody = {
  status: "ok",
  version: "1.0.0",
  components: {
    database: { status: "ok", since, message: "answers" },
    resolver: { status: "ok", since, message: "answers" },
  },
}
const DOWN: HealthBody = {
  ...WELL,
  status: "down",
  components: { ...WELL.components, database: { status: "down", since, message: "is away" } },
}

const overall = createRoute({
  method: "get",
  path: "/v1/health",
  operationId: "getHealth",
  tags: ["Health"],
  summary: "How the deployment is",
  description: "Overall and component by component, with what to do where something is wrong.",
  security: [],
  responses: {
    200: answer("It works; degraded parts say so.", Health, { ok: { value: WELL } }),
    503: answer("A part without which nothing works is down.", Health, { down: { value: DOWN } }),
    ...refusals(...EVERYWHERE),
  },
})

const live = createRoute({
  method: "get",
  path: "/v1/health/live",
  operationId: "getLiveness",
  tags: ["Health"],
  summary: "Whether this instance lives",
  description: "For whoever restarts it: while this answers, a restart helps nobody.",
  security: [],
  responses: { 200: answer("It answers.", Liveness), ...refusals(...EVERYWHERE) },
})

const ready = createRoute({
  method: "get",
  path: "/v1/health/ready",
  operationId: "getReadiness",
  tags: ["Health"],
  summary: "Whether to send requests to this instance",
  description: "For load balancers: an instance that is stopping says no before it stops.",
  security: [],
  responses: {
    200: answer("It takes requests.", Liveness),
    503: answer("It is starting, stopping, or without its database.", Liveness, {
      unavailable: { value: { status: "unavailable" } },
    }),
    ...refusals(...EVERYWHERE),
  },
})

export function healthRoutes({ health }: Parts): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>()
  app.openapi(overall, async (c) => {
    const report = await health.report()
    return c.json(report, report.status === "down" ? 503 : 200)
  })
  app.openapi(live, (c) => c.json({ status: "ok" as const }, 200))
  app.openapi(ready, async (c) =>
    (await health.ready())
      ? c.json({ status: "ok" as const }, 200)
      : c.json({ status: "unavailable" as const }, 503),
  )
  return app
}
