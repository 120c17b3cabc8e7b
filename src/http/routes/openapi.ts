/**
 * GET /v1/openapi.json and /docs: the contract for machines and the reference for people, both
 * made from the schemas that the routes are checked by.
 */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi"
import { openapiDocument } from "../openapi-document.ts"
import type { AppEnv, Parts } from "../parts.ts"
import { ICON, referencePage, STYLE } from "../reference-page.ts"
import { answer, EVERYWHERE, refusals } from "../refusals.ts"

const route = createRoute({
  method: "get",
  path: "/v1/openapi.json",
  operationId: "getContract",
  tags: ["Contract"],
  summary: "This contract, for machines",
  description:
    "An OpenAPI 3.1 document, made from the schemas that the routes are checked by. Generate a client from it.",
  security: [],
  responses: {
    200: answer("The document.", z.record(z.string(), z.unknown())),
    ...refusals(...EVERYWHERE),
  },
})

const FIVE_MINUTES = "public, max-age=300"

export function openapiRoutes(parts: Parts, whole: OpenAPIHono<AppEnv>): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>()
  let document: ReturnType<typeof openapiDocument> | undefined
  let page: string | undefined
  const current = () => {
    document ??= openapiDocument(whole, parts)
    return document
  }
  app.openAPIRegistry.registerPath(route)
  app.get(route.path, (c) => {
    c.header("cache-control", FIVE_MINUTES)
    return c.json(current())
  })
  app.get("/docs", (c) => {
    c.header("cache-control", FIVE_MINUTES)
    c.header(
      "content-security-policy",
      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    page ??= referencePage(current())
    return c.html(page)
  })
  app.get("/docs/style.css", (c) => {
    c.header("cache-control", FIVE_MINUTES)
    return c.body(STYLE, 200, { "content-type": "text/css; charset=utf-8" })
  })
  app.get("/docs/icon.svg", (c) => {
    c.header("cache-control", FIVE_MINUTES)
    return c.body(ICON, 200, { "content-type": "image/svg+xml" })
  })
  return app
}
