/**
 * The short way: a repeated `GET /v1/analyze` whose answer lies in memory.
 *
 * A plain listener before the framework. It takes nothing for granted that the long way checks:
 * the target must be one that was answered with 200 for this tenant before, the key is admitted by
 * the same statement, and the row is written with its outcome, before the first byte.
 */
import type { IncomingHttpHeaders, ServerResponse } from "node:http"
import { latencyBucket } from "../admission/admission.ts"
import { encodeId, newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import { NO_STORE, SECURITY_HEADERS } from "../edge/headers.ts"
import type { EdgeOptions } from "../edge/listener.ts"
import { renderRefusal } from "../edge/refusal.ts"
import { readKey } from "../keys/format.ts"
import { ROUTES } from "../usage/report.ts"
import type { AnswerCache } from "./analysis-answer.ts"
import type { Parts } from "./parts.ts"

const HEADERS = {
  ...SECURITY_HEADERS,
  "content-type": "application/json",
  "cache-control": NO_STORE,
}

/** @returns A listener that takes a request and returns true, or leaves it and returns false. */
export function readyAnswer(
  { admissions, now }: Parts,
  answers: AnswerCache,
): (...args: Parameters<EdgeOptions["handler"]>) => boolean {
  return (request, either) => {
    const response = either as ServerResponse // HTTP/2's has the same methods
    if (request.method !== "GET" || !request.url?.startsWith("/v1/analyze?")) return false
    const key = liveKey(request.headers)
    if (key === undefined) return false
    const caller = admissions.live.callerOf(key.digest)
    const answer = caller && answers.get(`${caller.tenantId} ${request.url}`)
    if (answer === undefined || answer.expiresAt <= now()) return false

    const started = performance.now()
    const requestUuid = newUuid()
    const requestId = encodeId("req", requestUuid)
    const outcome = {
      status: 200,
      latencyBucket: latencyBucket(performance.now() - started),
      cacheHit: true,
    }
    const arrival = { ...key, requestId: requestUuid, route: ROUTES["GET /v1/analyze"], outcome }
    admissions.live.admit(arrival, (result) => {
      if (result instanceof Problem) {
        const refusal = { status: result.status, problem: result }
        const { accept } = request.headers
        const { headers, body } = renderRefusal(refusal, SECURITY_HEADERS, accept, requestId)
        response.writeHead(result.status, headers)
        response.end(body)
        return
      }
      const body = answer.body(requestId, true, now())
      response.writeHead(200, {
        ...HEADERS,
        "x-request-id": requestId,
        "content-length": Buffer.byteLength(body),
      })
      response.end(body)
    })
    return true
  }
}

/** @returns The live key that a request carries in one header; all else is the long way's. */
function liveKey(headers: IncomingHttpHeaders) {
  const { authorization, "x-api-key": apiKey } = headers
  if ((authorization === undefined) === (apiKey === undefined)) return undefined
  const text = authorization?.startsWith("Bearer ") ? authorization.slice(7) : apiKey
  const key = typeof text === "string" ? readKey(text) : undefined
  return key?.environment === "live" ? key : undefined
}
