/**
 * The gate before the framework: what strangers may ask for, so that who pays does not wait for them.
 *
 * Owns: who is a stranger, and their refusal: 429 before a body is read or a row is written. Not: the
 * limits (floods/), whether a key is good (admission/).
 * Invariants: a key that somebody has passes, however many strangers come from its address: it is known
 * from before, or it is looked up. What load balancers ask (live, ready) is always answered. Strangers
 * wait for who has a key.
 */
import type { ServerResponse } from "node:http"
import { encodeId, newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import { NO_STORE, SECURITY_HEADERS } from "../edge/headers.ts"
import type { EdgeOptions } from "../edge/listener.ts"
import { renderRefusal } from "../edge/refusal.ts"
import type { Verdict } from "../floods/strangers.ts"
import { Turns } from "../floods/turns.ts"
import { readKey } from "../keys/format.ts"
import { sentKey } from "./credentials.ts"
import type { Parts } from "./parts.ts"

type Request = Parameters<EdgeOptions["handler"]>[0]
type GateParts = Pick<Parts, "admissions" | "strangers" | "knownKeys" | "health">

/** @returns What calls its last argument for a request that may go on, and answers the others. */
export function createGate({ admissions, strangers, knownKeys, health }: GateParts) {
  const turns = new Turns(TURN_MS)
  return (request: Request, response: ServerResponse, letIn: () => void): void => {
    const { authorization, "x-api-key": apiKey } = request.headers
    const text = sentKey(authorization, apiKey as string | undefined) // Node joins repeated ones
    const key = text === undefined ? undefined : readKey(text)
    if (key !== undefined && admissions[key.environment].callerOf(key.digest) !== undefined) {
      letIn()
      return
    }
    const verdict = strangers.take(request.socket.remoteAddress)
    if (verdict.waitMs === 0) {
      if (key === undefined) for (const field of limitFields(verdict)) response.setHeader(...field)
      turns.add(letIn)
    } else if (isProbe(request)) {
      const well = request.url === LIVE ? Promise.resolve(true) : health.ready()
      void well.then((isWell) => turns.add(() => answerProbe(response, isWell)))
    } else if (key === undefined) {
      turns.add(() => refuse(request, response, verdict))
    } else {
      knownKeys[key.environment].ask(key.index8, key.digest, (known) => {
        if (known === "known") letIn()
        else {
          const why = known === "unavailable" ? UNAVAILABLE : verdict
          turns.add(() => refuse(request, response, why))
        }
      })
    }
  }
}

/** Of each turn of the event loop, for strangers: a few refusals. */
const TURN_MS = 0.2

const LIVE = "/v1/health/live"

function isProbe({ method, url }: Request): boolean {
  return method === "GET" && (url === LIVE || url === "/v1/health/ready")
}

const UNAVAILABLE = new Problem("UNAVAILABLE", { retryAfterSeconds: 1 })

function refuse(request: Request, response: ServerResponse, why: Verdict | Problem): void {
  const problem = why instanceof Problem ? why : rateLimited(Math.ceil(why.waitMs / 1_000))
  const refusal = { status: problem.status, problem }
  const { headers, body } = renderRefusal(refusal, SECURITY_HEADERS, request.headers.accept)
  const fields = Object.entries(headers)
  if (!(why instanceof Problem)) fields.push(...limitFields(why))
  // A body that nobody reads is not waited for; HTTP/2 resets its stream.
  if (request.httpVersionMajor === 1 && hasBody(request)) fields.push(["connection", "close"])
  response.writeHead(problem.status, fields.flat()).end(body, "latin1")
}

const rateLimitedBySeconds: Problem[] = []

/** Made once for each wait: an error's stack is what a refusal would mostly spend its time on. */
function rateLimited(seconds: number): Problem {
  rateLimitedBySeconds[seconds] ??= new Problem("RATE_LIMITED", {
    message: "Too many requests without a good key come from your network, or from all: wait.",
    retryAfterSeconds: seconds,
  })
  return rateLimitedBySeconds[seconds]
}

/** As `limitHeaders` of who has a key (draft-ietf-httpapi-ratelimit-headers-10). */
function limitFields({ limit, left, wholeMs }: Verdict): [string, string][] {
  const { name, burst, perSecond } = limit
  return [
    ["ratelimit-policy", `"${name}";q=${burst};w=${Math.ceil(burst / perSecond)}`],
    ["ratelimit", `"${name}";r=${left};t=${Math.ceil(wholeMs / 1_000)}`],
  ]
}

function hasBody({ headers }: Request): boolean {
  const { "content-length": length, "transfer-encoding": coding } = headers
  return coding !== undefined || (length !== undefined && length !== "0")
}

/** The same as the routes' (routes/health.ts), at the price of a refusal. */
function answerProbe(response: ServerResponse, well: boolean): void {
  const body = JSON.stringify({ status: well ? "ok" : "unavailable" })
  const headers = {
    ...SECURITY_HEADERS,
    "content-type": "application/json",
    "cache-control": NO_STORE,
    "content-length": String(body.length),
    "x-request-id": encodeId("req", newUuid()),
  }
  response.writeHead(well ? 200 : 503, Object.entries(headers).flat()).end(body)
}
