/**
 * The short way: a repeated `GET /v1/analyze` whose answer lies in memory.
 *
 * A plain listener before the framework. It takes nothing for granted that the long way checks:
 * the target must be one that was answered with 200 for this tenant before, the key is admitted by
 * the same statement, and the row is written with its outcome, before the first byte.
 */
import { hash } from "node:crypto"
import type { ServerResponse } from "node:http"
import { encodeId, newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import { NO_STORE, SECURITY_HEADERS } from "../edge/headers.ts"
import type { EdgeOptions } from "../edge/listener.ts"
import { renderRefusal } from "../edge/refusal.ts"
import { lookupIndex } from "../keys/format.ts"
import type { AnswerCache } from "./analysis-answer.ts"
import { sentKey } from "./credentials.ts"
import { limitHeaders } from "./limits.ts"
import { METERING } from "./metering.ts"
import type { Parts } from "./parts.ts"

/** Flat, as Node takes them without going over them twice. */
const HEADERS = Object.entries({
  ...SECURITY_HEADERS,
  "content-type": "application/json",
  "cache-control": NO_STORE,
}).flat()

/** The first bucket: what lies ready takes well under a millisecond until admission is asked. */
const OUTCOME = { status: 200, latencyBucket: 0, cacheHit: true }

/** @returns A listener that takes a request and returns true, or leaves it and returns false. */
export function readyAnswer(
  { admissions, analyst, handshakes, log, networks, now }: Parts,
  answers: AnswerCache,
): (...args: Parameters<EdgeOptions["handler"]>) => boolean {
  // Those of one batch: their heads and bodies are made together, and then all are sent (see inTurn).
  let made: { readonly response: ServerResponse; readonly body: string }[] = []
  const sendAll = () => {
    const all = made
    made = []
    for (const { response, body } of all) response.end(body, "latin1")
  }
  return (request, either) => {
    const response = either as ServerResponse // HTTP/2's has the same methods
    if (request.method !== "GET" || !request.url?.startsWith("/v1/analyze?")) return false
    const { authorization, "x-api-key": apiKey } = request.headers
    if (authorization !== undefined && apiKey !== undefined) return false
    const key = sentKey(authorization, apiKey as string | undefined) // Node joins repeated ones
    if (key === undefined) return false
    const digest = hash("sha256", key, "hex")
    const caller = admissions.live.callerOf(digest)
    if (caller === undefined) return false
    const answer = answers.get(`${caller.tenantId} ${request.url}`)
    if (answer === undefined || answer.analysis.expiresAt <= now()) return false
    const asker = { environment: "live", tenantId: caller.tenantId } as const
    if (!analyst.isCurrent(asker, answer.analysis)) return false

    const requestUuid = newUuid()
    const requestId = encodeId("req", requestUuid)
    const arrival = {
      index8: lookupIndex(key),
      digest,
      requestId: requestUuid,
      ...METERING["GET /v1/analyze"],
      address: request.socket.remoteAddress,
      caller,
      outcome: OUTCOME,
    }
    admissions.live.admit(arrival, (result, _, limits) => {
      if (result instanceof Problem) {
        if (result.status >= 500) log(requestId, result)
        const refusal = { status: result.status, problem: result }
        const { accept } = request.headers
        const { headers, body } = renderRefusal(refusal, SECURITY_HEADERS, accept, requestId)
        response.writeHead(result.status, [
          ...Object.entries(headers).flat(),
          ...(limits === undefined ? [] : limitHeaders(limits, now()).flat()),
        ])
        response.end(body)
        return
      }
      networks.live.see(caller, request.socket)
      handshakes.welcome(request.socket)
      const body = answer.body(requestId, true, now())
      response.writeHead(200, [
        ...HEADERS,
        ...(limits === undefined ? [] : limitHeaders(limits, now()).flat()),
        "x-request-id",
        requestId,
        "content-length",
        String(body.length),
      ])
      if (made.push({ response, body }) === 1) queueMicrotask(sendAll)
    })
    return true
  }
}
