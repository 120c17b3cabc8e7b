/** GET /v1/health with /live, /ready and /metrics: open to all, nothing of any tenant. */
import { createRoute, OpenAPIHono } from "@hono/zod-openapi"
import type { HealthBody, MetricsBody } from "../contract.ts"
import { Health, Liveness, Metrics } from "../contract.ts"
import { OPENMETRICS, openMetrics } from "../openmetrics.ts"
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

const json = answer("The figures.", Metrics)
const metricsRoute = createRoute({
  method: "get",
  path: "/v1/health/metrics",
  operationId: "getMetrics",
  tags: ["Health"],
  summary: "Figures for monitoring",
  description:
    "OpenMetrics text, as Prometheus reads it; JSON where Accept asks for that. Coarse, since it is open: what depends on requests is of the last whole quarter of an hour (UTC), and figures of this instance are looked at once in a quarter. States of components are of now.",
  security: [],
  responses: {
    200: {
      ...json,
      content: {
        ...json.content,
        "application/openmetrics-text": {
          schema: { type: "string" as const },
          example: openMetrics([
            {
              name: "zygentrust_requests_recent",
              type: "gauge",
              help: "Recorded answers of 15 minutes.",
              samples: [
                {
                  labels: { environment: "live", route: "GET /v1/analyze", status: "2xx" },
                  value: 1_198,
                },
              ],
            },
          ]),
        },
      },
    },
    ...refusals(...EVERYWHERE),
  },
})

export function healthRoutes({ health, metrics }: Parts): OpenAPIHono<AppEnv> {
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
  app.openAPIRegistry.registerPath(metricsRoute)
  app.get(metricsRoute.path, async (c) => {
    const { window, families } = await metrics.read()
    if (!prefersJson(c.req.header("accept"))) {
      return c.body(openMetrics(families), 200, { "content-type": OPENMETRICS })
    }
    const time = (ms: number) => new Date(ms).toISOString()
    const body: MetricsBody = {
      window: window === undefined ? null : { from: time(window.since), to: time(window.until) },
      families: families.map(({ name, type, help, samples }) => ({
        name,
        type,
        help,
        samples: samples.map(({ suffix = "", labels, value }) => ({
          name: `${name}${suffix}`,
          labels,
          value,
        })),
      })),
    }
    return c.json(body, 200)
  })
  return app
}

/** The first range that can be had decides; text where none is named. */
function prefersJson(accept = ""): boolean {
  const range = /application\/json|application\/openmetrics-text|text\/plain|\*\/\*/i.exec(accept)
  return range?.[0].toLowerCase() === "application/json"
}
