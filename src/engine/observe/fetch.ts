/**
 * One GET to a stranger: no redirect followed, no cookie, no credential, every size capped.
 *
 * A URL is fetched once an observation, so the visits of the plain and of the secure address
 * share what they have in common. Certificates do not stop a visit: they are judged apart.
 */
import type { IncomingMessage } from "node:http"
import { request } from "node:http"
import type { Socket } from "node:net"
import { TLSSocket } from "node:tls"
import type { Exchange, Known } from "../types.ts"
import { attempt, whyOf } from "./attempt.ts"
import { readBody } from "./body.ts"
import type { Dialer } from "./dial.ts"
import { keptHeaders } from "./headers.ts"
import type { TrustStore } from "./tls.ts"
import { isAuthentic, startTls } from "./tls.ts"

export interface Fetched {
  readonly exchange: Exchange
  /** Empty for a redirect. */
  readonly body: Known<Buffer>
  /** Came over TLS from whom the certificate says. */
  readonly authentic: boolean
}

export interface Fetcher {
  /** @param url - `http:` or `https:`; credentials and fragment are left out. Never rejects. */
  get(url: URL): Promise<Known<Fetched>>
  /** Hands over a connection that is being made: the next GET of its origin waits for it. */
  adopt(origin: string, socket: Promise<Known<Socket>>): void
}

export interface FetchLimits {
  readonly accept: string
  readonly maxBodyBytes: number
}

/** For the request, its response's head and its body together. */
const EXCHANGE_TIMEOUT_MS = 4000
const MAX_HEADER_BYTES = 32 * 1024

export function createFetcher(
  { dialer, trust, userAgent }: { dialer: Dialer; trust: TrustStore; userAgent: string },
  { accept, maxBodyBytes }: FetchLimits,
  signal: AbortSignal,
): Fetcher {
  const fetched = new Map<string, Promise<Known<Fetched>>>()
  const adopted = new Map<string, Promise<Known<Socket>>>()

  async function fetchOnce(url: URL): Promise<Known<Fetched>> {
    const socket = await connectionTo(url)
    if ("unknown" in socket) return socket
    const authentic = socket.value instanceof TLSSocket && isAuthentic(socket.value, url.hostname)
    let head = undefined as IncomingMessage | undefined
    const body = await attempt<Buffer>(signal, EXCHANGE_TIMEOUT_MS, (done) => {
      let free = () => {}
      const sent = request({
        createConnection: () => socket.value,
        path: url.pathname + url.search,
        headers: {
          host: url.host,
          "user-agent": userAgent,
          accept,
          "accept-encoding": "gzip, br, zstd",
          "accept-language": "en, *;q=0.5",
          connection: "close",
        },
        maxHeaderSize: MAX_HEADER_BYTES,
      })
      sent.on("error", (error) => done({ unknown: whyOf(error) }))
      // A server that switches protocols unasked.
      sent.on("upgrade", () => done({ unknown: "malformed" }))
      sent.on("response", (response) => {
        head = response
        if (isRedirect(response.statusCode ?? 0)) done({ value: Buffer.alloc(0) })
        else free = readBody(response, maxBodyBytes, done)
      })
      sent.end()
      return () => {
        free()
        sent.destroy()
      }
    })
    if (head === undefined) return "unknown" in body ? body : { unknown: "malformed" }
    const exchange = {
      url: url.href,
      status: head.statusCode ?? 0,
      headers: keptHeaders(head.headersDistinct),
    }
    return { value: { exchange, body, authentic } }
  }

  async function connectionTo(url: URL): Promise<Known<Socket>> {
    const waiting = adopted.get(url.origin)
    adopted.delete(url.origin)
    if (waiting !== undefined) return waiting
    if (url.protocol === "http:") return dialer.dial(url.hostname, Number(url.port) || 80)
    const socket = await dialer.dial(url.hostname, Number(url.port) || 443)
    return "unknown" in socket ? socket : startTls(socket.value, url.hostname, trust, signal)
  }

  return {
    get(from) {
      const url = new URL(from)
      url.username = url.password = url.hash = ""
      let result = fetched.get(url.href)
      if (result === undefined) {
        const isWeb = url.protocol === "https:" || url.protocol === "http:"
        result = isWeb ? fetchOnce(url) : Promise.resolve({ unknown: "blocked" } as const)
        fetched.set(url.href, result)
      }
      return result
    },
    adopt: (origin, socket) => adopted.set(origin, socket),
  }
}

/** Those of RFC 9110 §15.4 that a client follows by their Location. */
export function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status)
}
