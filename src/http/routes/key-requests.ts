/**
 * POST /v1/key-requests, and /request-a-key for people: asking for a key without having one.
 * What is answered is the same whoever asks, and whatever is there already.
 */
import { createRoute, OpenAPIHono } from "@hono/zod-openapi"
import type { Context } from "hono"
import { Problem } from "../../core/problem.ts"
import { findKeys } from "../../keys/format.ts"
import type { Applicant, OpenPlan } from "../../keys/request.ts"
import { askForKey, selfServicePlans } from "../../keys/request.ts"
import { Askers } from "../askers.ts"
import type { Fields, Sent } from "../body.ts"
import { readBody, readForm } from "../body.ts"
import { AttemptHeaders, KeyRequestBody, KeyRequestReceived } from "../contract-requests.ts"
import type { AppEnv, Parts } from "../parts.ts"
import { answer, EVERYWHERE, refusals } from "../refusals.ts"
import { PAGE_POLICY, REQUEST_STYLE, requestPage, sentPage } from "../request-page.ts"

const route = createRoute({
  method: "post",
  path: "/v1/key-requests",
  operationId: "requestKey",
  tags: ["Access"],
  summary: "Ask for a key",
  description:
    "An operator decides, or the plan does, where it is one of self-service. Then a link goes to the contact address, which shows the key, once. People ask at `/request-a-key`. The answer is the same whoever asks; of one address, three requests in 30 days are looked at.",
  security: [],
  request: {
    headers: AttemptHeaders,
    body: { required: true, content: { "application/json": { schema: KeyRequestBody } } },
  },
  responses: {
    202: answer("It came in.", KeyRequestReceived),
    ...refusals(
      ...EVERYWHERE,
      "NOT_FOUND",
      "TOO_LARGE",
      "UNSUPPORTED_TYPE",
      "RATE_LIMITED",
      "UNAVAILABLE",
    ),
  },
})

/** Refusals that leave the form in place, as HTTP says them. */
const SHOWN = { 400: 400, 429: 429, 503: 503 } as const

/** Plans change seldom, and the page is open to all. */
const PLANS_KNOWN_MS = 10_000

export function keyRequestRoutes(parts: Parts): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>()
  const plans = openPlans(parts)
  let askers: Askers | undefined
  const ask = async (
    c: Context<AppEnv>,
    applicant: Applicant,
    attempt: Sent<unknown>["attempt"],
  ) => {
    const { database, keyring, keyRequests } = parts
    askers ??= new Askers(keyRequests.perDay, parts.now)
    const waitSeconds = askers.take(c.env.incoming?.socket.remoteAddress)
    if (waitSeconds > 0) {
      const message = "More keys were asked for from your network than are looked at in a day."
      throw new Problem("RATE_LIMITED", { message, retryAfterSeconds: waitSeconds })
    }
    const { isSelfService } = await askForKey(database, keyring, applicant, attempt, keyRequests)
    if (isSelfService) keyRequests.kick() // never waited for: its time would tell
  }
  const open = () => {
    if (parts.keyRequests.most > 0) return
    throw new Problem("NOT_FOUND", { message: "Keys cannot be asked for here: ask the operator." })
  }
  app.openAPIRegistry.registerPath(route)
  app.post(route.path, async (c) => {
    open()
    const sent = await readBody(c.req.raw, c.req.path, KeyRequestBody)
    if (sent instanceof Problem) throw sent
    await ask(c, sent.body, sent.attempt)
    return c.json({ status: "received" as const }, 202)
  })
  app.get("/request-a-key", async (c) => {
    open()
    c.header("content-security-policy", PAGE_POLICY)
    return c.html(requestPage(await plans(), {}, undefined))
  })
  app.post("/request-a-key", async (c) => {
    open()
    c.header("content-security-policy", PAGE_POLICY)
    const { fields, body } = await readForm(c.req.raw, KeyRequestBody)
    const problem = body instanceof Problem ? body : await ask(c, body, undefined).catch(passing)
    if (problem === undefined) return c.redirect("/request-a-key/sent", 303)
    const { retryAfterSeconds: wait } = problem
    if (wait !== undefined) c.header("retry-after", String(wait))
    const page = requestPage(await plans(), withoutKeys(fields), problem)
    return c.html(page, SHOWN[problem.status as keyof typeof SHOWN])
  })
  app.get("/request-a-key/sent", (c) => {
    c.header("content-security-policy", PAGE_POLICY)
    return c.html(sentPage())
  })
  app.get("/request-a-key/style.css", (c) => {
    c.header("cache-control", "public, max-age=300")
    return c.body(REQUEST_STYLE, 200, { "content-type": "text/css; charset=utf-8" })
  })
  return app
}

/** @returns What the page offers: nothing where no link could be mailed. */
function openPlans({ database, keyRequests, now }: Parts): () => Promise<readonly OpenPlan[]> {
  let known: readonly OpenPlan[] = []
  let until = Number.NEGATIVE_INFINITY
  return async () => {
    if (!keyRequests.canMail) return []
    if (now() >= until) {
      until = now() + PLANS_KNOWN_MS
      known = await selfServicePlans(database).catch(() => known) // the form is there without it
    }
    return known
  }
}

/** What was typed, but for what holds somebody's key. */
function withoutKeys(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => findKeys(value).length === 0),
  )
}

/** What the page says itself, so that nothing is lost that was typed; all else is answered as anywhere. */
function passing(error: unknown): Problem {
  if (error instanceof Problem && error.status in SHOWN) return error
  throw error
}
