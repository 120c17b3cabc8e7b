/**
 * What a request must satisfy before anybody reads it: framing, target and host (RFC 9110, 9112,
 * 9113). What llhttp and nghttp2 refuse by themselves does not come this far.
 *
 * Invariant: after it, `url` is a path with query (or `*` for OPTIONS), printable ASCII without a
 * fragment, and the host is ours.
 */
import type { IncomingMessage } from "node:http"
import type { Http2ServerRequest } from "node:http2"
import { Problem } from "../core/problem.ts"
import type { HostVerdict } from "./hosts.ts"
import type { Limits } from "./limits.ts"
import type { Refusal } from "./refusal.ts"
import { badRequest } from "./refusal.ts"

export type EdgeRequest = IncomingMessage | Http2ServerRequest

export interface VetOptions {
  readonly scheme: "http" | "https"
  readonly judgeHost: (authority: string) => HostVerdict
  readonly limits: Limits
}

const ABSOLUTE_FORM = /^([a-z][a-z\d+.-]*):\/\/([^/?#]*)(.*)$/i
// The target is printable ASCII without `#` (RFC 9112 §3.2, RFC 3986 §3).
const OUTSIDE_TARGET = /[^\x21\x22\x24-\x7e]/

/** @returns Why the request is refused, else undefined. Sets `url` to the origin form. */
export function vet(request: EdgeRequest, options: VetOptions): Refusal | undefined {
  const { headers } = request
  const { limits } = options
  // nghttp2 only advises its peers; over HTTP/1 the parser has refused already.
  if (request.httpVersionMajor === 2 && headerBytes(request) > limits.maxHeaderBytes) {
    return { status: 431, problem: new Problem("HEADERS_TOO_LARGE") }
  }
  if (request.rawHeaders.length > 2 * limits.maxHeaderCount) {
    return { status: 431, problem: new Problem("HEADERS_TOO_LARGE") }
  }
  if (Number(headers["content-length"] ?? 0) > limits.maxBodyBytes) {
    return { status: 413, problem: new Problem("TOO_LARGE") }
  }
  const target = "authority" in request ? http2(request) : http1(request)
  if ("problem" in target) return target
  const { url = "" } = request
  if (OUTSIDE_TARGET.test(url)) return badRequest("The request target holds invalid characters.")

  let { authority } = target
  let scheme = target.scheme ?? options.scheme
  if (!url.startsWith("/") && !(url === "*" && request.method === "OPTIONS")) {
    const absolute = ABSOLUTE_FORM.exec(url)
    if (!absolute) return badRequest("The request target is not a path.")
    // The target wins over Host, and replaces it for who reads it later (RFC 9112 §3.2.2).
    const [, prefix = "", named = "", path = ""] = absolute
    scheme = prefix.toLowerCase()
    authority = named
    headers.host = named
    request.url = path.startsWith("/") ? path : `/${path}`
  }
  const verdict = authority === undefined ? "ours" : options.judgeHost(authority)
  if (verdict === "malformed") return badRequest("The host is not valid.")
  if (verdict === "foreign" || scheme !== options.scheme) {
    return { status: 421, problem: new Problem("WRONG_HOST") }
  }
  return undefined
}

function headerBytes({ rawHeaders }: EdgeRequest): number {
  return rawHeaders.reduce((sum, text) => sum + text.length, 0)
}

/** The host that a request names; none in HTTP/1.0, which then means ours (RFC 9112 §3.3). */
interface Target {
  readonly authority: string | undefined
  readonly scheme?: string
}

function http1(request: IncomingMessage): Target | Refusal {
  const { headers, rawHeaders, httpVersionMajor: major, httpVersionMinor: minor } = request
  if (major !== 1 || minor > 1) return badRequest("HTTP/1.1 is spoken here.", 505)
  const coding = headers["transfer-encoding"]?.toLowerCase()
  if (coding !== undefined) {
    // In HTTP/1.0 the length of the message is then anybody's guess (RFC 9112 §6.1).
    if (minor === 0) return badRequest("HTTP/1.0 has no Transfer-Encoding.")
    if (!/(^|,[ \t]*)chunked$/.test(coding)) return badRequest("The body has no end.") // §6.3
    if (coding !== "chunked") {
      return badRequest("The only Transfer-Encoding understood here is 'chunked'.", 501)
    }
  }
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === "host") hosts++
  }
  if (hosts > 1) return badRequest("There is more than one Host header.")
  if (hosts === 0 && minor === 1) return badRequest("The Host header is missing.")
  return { authority: headers.host }
}

function http2({ authority, scheme, headers }: Http2ServerRequest): Target | Refusal {
  const { host } = headers
  if (headers[":authority"] !== undefined && host !== undefined && authority !== host) {
    return badRequest("The Host header and :authority differ.") // RFC 9113 §8.3.1
  }
  return { authority, scheme }
}
