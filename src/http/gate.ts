/**
 * The gate before the framework: what strangers may ask for, so that who pays does not wait for them.
 *
 * Owns: who is a stranger, and their refusal: 429 before a body is read or a row is written. Not: the
 * limits (floods/), whether a key is good (admission/).
 * Invariants: a key that somebody has passes, however many strangers come from its address, and waits for
 * none of them: it is known from before, or it is looked up. What load balancers ask (live, ready) is always
 * answered. Strangers get a part of the event loop's time, and a connection one refusal a second at most.
 */
import type { ServerResponse } from "node:http"
import type { Socket } from "node:net"
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

/** So long a refusal is kept back at least: who asks again at once when it comes, asks once a second at most. */
const REFUSED_AFTER_MS = 1_000
/** And so much longer at most: who asked at once shall not go on asking at once. */
const REFUSED_WITHIN_MS = 1_000

/** @returns What calls its last argument for a request that may go on, and answers the others. */
export function createGate({ admissions, strangers, knownKeys, health }: GateParts) {
  const soon = new Turns(0)
  const keptBack = new Turns(REFUSED_AFTER_MS, REFUSED_WITHIN_MS)
  /** Connections (HTTP/1) that wait for a refusal. */
  const refusing = new WeakSet<Socket>()

  return (request: Request, response: ServerResponse, letIn: () => void): void => {
    const { socket, headers } = request
    const { authorization, "x-api-key": apiKey } = headers
    const text = sentKey(authorization, apiKey as string | undefined) // Node joins repeated ones
    const key = text === undefined ? undefined : readKey(text)
    if (key !== undefined && admissions[key.environment].callerOf(key.digest) !== undefined) {
      letIn()
      return
    }
    const later = (turns: Turns, work: () => void) => {
      if (!turns.add(work)) socket.destroy()
    }
    const verdict = strangers.take(socket.remoteAddress)
    if (verdict.waitMs === 0) {
      if (key === undefined) for (const field of limitFields(verdict)) response.setHeader(...field)
      if (key === undefined || soon.waiting === 0) later(soon, letIn)
      else {
        knownKeys[key.environment].ask(key.index8, key.digest, (known) => {
          if (known === "known") letIn()
          else later(soon, letIn)
        })
      }
      return
    }
    if (isProbe(request)) {
      const well = request.url === LIVE ? Promise.resolve(true) : health.ready()
      void well.then((isWell) => later(soon, () => answerProbe(response, isWell)))
      return
    }
    // Who sends on without waiting would fill the memory with requests.
    if (refusing.has(socket)) {
      socket.destroy()
      return
    }
    if (request.httpVersionMajor === 1) refusing.add(socket)
    const refuse = (why: Verdict | Problem) =>
      later(why === UNAVAILABLE ? soon : keptBack, () => {
        refusing.delete(socket)
        answerRefusal(request, response, why)
      })
    if (key === undefined) {
      refuse(verdict)
      return
    }
    knownKeys[key.environment].ask(key.index8, key.digest, (known) => {
      if (known === "known") {
        refusing.delete(socket)
        letIn()
      } else if (known === "unavailable") refuse(UNAVAILABLE)
      else refuse(verdict)
    })
  }
}

const LIVE = "/v1/health/live"

function isProbe({ method, url }: Request): boolean {
  return method === "GET" && (url === LIVE || url === "/v1/health/ready")
}

const UNAVAILABLE = new Problem("UNAVAILABLE", { retryAfterSeconds: 1 })

function answerRefusal(request: Request, response: ServerResponse, why: Verdict | Problem): void {
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
