/**
 * Problems as bytes: the contract's error body, RFC 9457 for who asks for it, and a whole HTTP/1
 * answer for when there is no response object, because the parser gave up.
 */
import { STATUS_CODES } from "node:http"
import { encodeId, newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import { NO_STORE } from "./headers.ts"

/** A Problem that answers a request at the edge. */
export interface Refusal {
  /** Where HTTP asks for a status that has no code of its own (408, 417, 501, 505). */
  readonly status: number
  readonly problem: Problem
}

/** @param message - Public: what is wrong, and what would be right. */
export function badRequest(message: string, status = 400): Refusal {
  return { status, problem: new Problem("INVALID_REQUEST", { message }) }
}

export const EXPECTATION_FAILED = badRequest(
  "The only Expect understood here is '100-continue'.",
  417,
)

export const NO_TUNNEL: Refusal = {
  status: 405,
  problem: new Problem("METHOD_NOT_ALLOWED", { message: "This server is no proxy." }),
}

/** @returns The contract's error body. */
export function refusalBody(problem: Problem, requestId: string): string {
  const { code, message, details } = problem
  return JSON.stringify({ error: { code, message, details, request_id: requestId } })
}

/** @returns The same as `application/problem+json` (RFC 9457 §3). */
export function problemJson(
  problem: Problem,
  requestId: string,
  status: number = problem.status,
): string {
  const { code, message, details } = problem
  return JSON.stringify({
    type: `urn:zygentrust:problem:${code}`,
    title: STATUS_CODES[status],
    status,
    detail: message,
    code,
    details,
    request_id: requestId,
  })
}

/** @param accept - The Accept header. @returns Whether it names problem+json, and not to refuse it. */
export function wantsProblemJson(accept: string | undefined): boolean {
  if (accept === undefined) return false
  return /application\/problem\+json(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(accept)
}

/** @returns Headers and body of a refusal; the headers hold its length and type. */
export function renderRefusal(
  { status, problem }: Refusal,
  protections: Readonly<Record<string, string>>,
  accept?: string,
  requestId: string = encodeId("req", newUuid()),
): { headers: Record<string, string>; body: string } {
  const asProblem = wantsProblemJson(accept)
  const body = asProblem ? problemJson(problem, requestId, status) : refusalBody(problem, requestId)
  const headers: Record<string, string> = {
    ...protections,
    "cache-control": NO_STORE,
    "content-type": asProblem ? "application/problem+json" : "application/json",
    "content-length": String(Buffer.byteLength(body)),
    "x-request-id": requestId,
  }
  if (problem.retryAfterSeconds !== undefined) {
    headers["retry-after"] = String(problem.retryAfterSeconds)
  }
  if (status === 401) {
    const error = problem.code === "MISSING_KEY" ? "" : ', error="invalid_token"'
    headers["www-authenticate"] = `Bearer realm="zygentrust"${error}` // RFC 6750 §3
  }
  // An empty Allow is the truth where no method is allowed at all (RFC 9110 §10.2.1).
  if (status === 405) headers["allow"] = ""
  return { headers, body }
}

/** @returns A whole HTTP/1.1 answer, to be written as it is before the connection closes. */
export function rawRefusal(
  refusal: Refusal,
  protections: Readonly<Record<string, string>>,
): string {
  const { headers, body } = renderRefusal(refusal, protections)
  const lines = Object.entries({
    date: new Date().toUTCString(),
    ...headers,
    connection: "close",
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n${lines.join("")}\r\n${body}`
}
