/** GET /v1/events: what the tenant's owner is told of. Costs nothing. */
import { createRoute, OpenAPIHono } from "@hono/zod-openapi"
import { decodeId } from "../../core/ids.ts"
import { listEvents } from "../../events/events.ts"
import { EventList, EventsQuery } from "../contract-events.ts"
import { cursorAfter, readCursor } from "../cursor.ts"
import { metered } from "../metered.ts"
import type { AppEnv, Parts } from "../parts.ts"
import { answer, KEYED, refusals } from "../refusals.ts"

const PAGE = 50

const route = createRoute({
  method: "get",
  path: "/v1/events",
  operationId: "listEvents",
  tags: ["Account"],
  summary: "What you should know",
  description:
    "Quota alerts, keys that end soon, leaked, or were sent in clear; the newest first. Needs the scope `usage:read`.",
  request: { query: EventsQuery },
  responses: { 200: answer("Some of them.", EventList), ...refusals(...KEYED) },
})

export function eventRoutes(parts: Parts): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>()
  app.openAPIRegistry.registerPath(route)
  app.get(
    route.getRoutingPath(),
    metered(parts, {
      route: "GET /v1/events",
      query: EventsQuery,
      async work({ kind, key, limit, cursor }, { environment, tenantId }) {
        const count = limit === undefined ? PAGE : Number(limit)
        const keyId = key === undefined ? undefined : (decodeId("key", key) ?? NOBODY)
        const filter = { kind, keyId, before: readCursor(cursor) }
        const found = await parts.database.asTenant(environment, tenantId, (tx) =>
          listEvents(tx, [environment], filter, count + 1),
        )
        const events = found.slice(0, count).map(({ tenantId: _, ...event }) => event)
        const last = found.length > count ? events.at(-1) : undefined
        const next_cursor = last === undefined ? null : cursorAfter("evt", last.id)
        return { body: JSON.stringify({ events, next_cursor }), cacheHit: false }
      },
    }),
  )
  return app
}

/** What looks like a key's id and decodes to none is nobody's. */
const NOBODY = "00000000-0000-0000-0000-000000000000"
