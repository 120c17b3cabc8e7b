/**
 * The application: edge → route and validate → admit → work → answer.
 *
 * `createListener` gives the edge one plain listener. An answer that lies ready takes the short way
 * (ready.ts) before the framework; all else passes the gate (gate.ts) and is Hono's. Errors become
 * answers here and only here; what is not a Problem is logged and answered as `INTERNAL`.
 */
import type { ServerResponse } from "node:http"
import type { HttpBindings } from "@hono/node-server"
import { getRequestListener } from "@hono/node-server"
import { OpenAPIHono } from "@hono/zod-openapi"
import type { Context, Next } from "hono"
import { LRUCache } from "lru-cache"
import { encodeId, newUuid } from "../core/ids.ts"
import { COMMAND_CODES, Problem } from "../core/problem.ts"
import { NO_STORE, SECURITY_HEADERS } from "../edge/headers.ts"
import type { EdgeOptions } from "../edge/listener.ts"
import { renderRefusal } from "../edge/refusal.ts"
import { findKeys } from "../keys/format.ts"
import type { AnalysisAnswer, AnswerCache } from "./analysis-answer.ts"
import { keyInAddress } from "./credentials.ts"
import { createGate } from "./gate.ts"
import { limitHeaders } from "./limits.ts"
import type { AppEnv, Parts } from "./parts.ts"
import { readyAnswer } from "./ready.ts"
import { analyzeRoutes } from "./routes/analyze.ts"
import { claimRoutes } from "./routes/claim.ts"
import { eventRoutes } from "./routes/events.ts"
import { healthRoutes } from "./routes/health.ts"
import { keyRequestRoutes } from "./routes/key-requests.ts"
import { keyRoutes } from "./routes/keys.ts"
import { leakedKeyRoutes } from "./routes/leaked-keys.ts"
import { openapiRoutes } from "./routes/openapi.ts"
import { usageRoutes } from "./routes/usage.ts"

/** Routes that take no parameter: what is given is refused by name, as everywhere. */
const WITHOUT_QUERY = [
  "/v1/health/*",
  "/v1/key-requests",
  "/v1/leaked-keys",
  "/v1/openapi.json",
  "/.well-known/*",
  "/docs/*",
  "/request-a-key/*",
  "/claim-a-key/*",
]

const READY_ANSWERS_SIZE = 64_000_000

/** @returns What the edge calls with each request. */
export function createListener(parts: Parts): EdgeOptions["handler"] {
  const answers = new LRUCache<string, AnalysisAnswer>({
    maxSize: READY_ANSWERS_SIZE,
    sizeCalculation: (answer) => answer.size,
  })
  const ready = readyAnswer(parts, answers)
  const app = createApp(parts, answers)
  const slow = getRequestListener((request, env) => app.fetch(request, env as HttpBindings), {
    overrideGlobalObjects: false,
    hostname: "localhost", // for HTTP/1.0 without Host, which the edge lets in
    errorHandler: () => refuseTarget(),
  })
  const gate = createGate(parts)
  return inTurn((request, response) => {
    if (ready(request, response)) return
    gate(request, response as ServerResponse, () => {
      // Set before the framework, so that they are on its own refusals too.
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
      void slow(request, response)
    })
  })
}

/**
 * Takes the requests of one turn of the event loop together, when all are read: between two reads TLS and the
 * kernel displace our code from the processor's caches (docs/measures.md).
 */
function inTurn(take: EdgeOptions["handler"]): EdgeOptions["handler"] {
  let arrived: Parameters<EdgeOptions["handler"]>[] = []
  const takeAll = () => {
    const all = arrived
    arrived = []
    for (const one of all) take(...one)
  }
  return (...one) => {
    if (arrived.push(one) === 1) setImmediate(takeAll)
  }
}

/** @returns The routes, as one Hono application; the OpenAPI document is made from it. */
export function createApp(parts: Parts, answers: AnswerCache): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>()
  app.use(async (c, next) => {
    c.set("requestUuid", newUuid())
    await next()
    c.header("x-request-id", encodeId("req", c.get("requestUuid")))
    if (c.res.headers.get("cache-control") === null) {
      c.header("cache-control", NO_STORE)
    }
    const limits = c.get("limits")
    if (limits === undefined) return
    for (const [name, value] of limitHeaders(limits, parts.now())) c.header(name, value)
  })
  for (const path of WITHOUT_QUERY) app.use(path, refuseQuery)
  app.route("/", analyzeRoutes(parts, answers))
  app.route("/", usageRoutes(parts))
  app.route("/", eventRoutes(parts))
  app.route("/", keyRoutes(parts))
  app.route("/", keyRequestRoutes(parts))
  app.route("/", claimRoutes(parts))
  app.route("/", leakedKeyRoutes(parts))
  app.route("/", healthRoutes(parts))
  app.route("/", openapiRoutes(parts, app))
  app.onError((error, c) => {
    const isAnswer = error instanceof Problem && !COMMAND_CODES.has(error.code)
    const problem = isAnswer ? error : new Problem("INTERNAL", { cause: error })
    if (problem.status >= 500) parts.log(encodeId("req", c.get("requestUuid")), problem)
    return refuse(c, problem)
  })
  app.notFound((c) => {
    const allowed = new Set(
      app.routes.filter((route) => isPath(route.path, c.req.path)).map((route) => route.method),
    )
    allowed.delete("ALL")
    if (allowed.size === 0) return refuse(c, new Problem("NOT_FOUND"))
    const allow = [...allowed].flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]))
    const message = `${c.req.method} is not allowed here; ${allow.join(" and ")} are.`
    return refuse(c, new Problem("METHOD_NOT_ALLOWED", { message }), { allow: allow.join(", ") })
  })
  return app
}

async function refuseQuery(c: Context<AppEnv>, next: Next): Promise<void> {
  if (findKeys(c.req.url).length > 0) throw keyInAddress()
  const [name] = Object.keys(c.req.query())
  if (name !== undefined) {
    const message = `There is no parameter '${name}'.`
    throw new Problem("INVALID_REQUEST", { message, details: { parameter: name } })
  }
  await next()
}

/** @param pattern - A path with `:id` for one segment. */
function isPath(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split("/"), path.split("/")]
  const isSame = (part: string, n: number) =>
    part === given[n] || (part === ":id" && given[n] !== "")
  return wanted.length === given.length && wanted.every(isSame)
}

/** What the edge lets in and is no URL all the same: `OPTIONS *`, a backslash in a path. */
function refuseTarget(): Response {
  const message = "The request target is not a path of this server."
  const problem = new Problem("INVALID_REQUEST", { message })
  const { headers, body } = renderRefusal({ status: problem.status, problem }, {})
  return new Response(body, { status: problem.status, headers })
}

function refuse(c: Context<AppEnv>, problem: Problem, more?: Record<string, string>): Response {
  const requestId = encodeId("req", c.get("requestUuid"))
  const refusal = { status: problem.status, problem }
  const { headers, body } = renderRefusal(refusal, {}, c.req.header("accept"), requestId)
  return new Response(body, { status: problem.status, headers: { ...headers, ...more } })
}
