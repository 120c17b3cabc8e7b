/**
 * One GET to a stranger: no redirect followed, no cookie, no credential, every size capped.
 *
 * A URL is fetched once an observation, so the visits of the plain and of the secure address
 * share what they have in common. Certificates do not stop a visit: they are judged apart.
 */
import type { IncomingMessage } from "node:http"
import { request } from "node:http"
import type { Exchange, Known } from "../types.ts"
import { attempt, whyOf } from "./attempt.ts"
import { readBody } from "./body.ts"
import type { Connections } from "./connections.ts"
import { keptHeaders } from "./headers.ts"

export interface Fetched {
  readonly exchange: Exchange
  /** Empty for a redirect that leads somewhere. */
  readonly body: Known<Buffer>
  /** Came over TLS from whom the certificate says. */
  readonly authentic: boolean
}

export interface Fetcher {
  /** @param url - `http:` or `https:`; credentials and fragment are left out. Never rejects. */
  get(url: URL): Promise<Known<Fetched>>
}

export interface FetchLimits {
  readonly accept: string
  readonly maxBodyBytes: number
}

/** For the request, its response's head and its body together. */
const EXCHANGE_TIMEOUT_MS = 4000
const MAX_HEADER_BYTES = 32 * 1024

export function createFetcher(
  connections: Connections,
  { accept, maxBodyBytes }: FetchLimits,
  userAgent: string,
  signal: AbortSignal,
): Fetcher {
  const fetched = new Map<string, Promise<Known<Fetched>>>()
  const headers = {
    "user-agent": userAgent,
    accept,
    "accept-encoding": "gzip, br, zstd",
    "accept-language": "en, *;q=0.5",
    connection: "keep-alive",
  }

  async function fetchOnce(url: URL): Promise<Known<Fetched>> {
    const connection = await connections.take(url)
    if ("unknown" in connection) return connection
    const { socket, authentic, used } = connection.value
    let head = undefined as IncomingMessage | undefined
    const body = await attempt<Buffer>(signal, EXCHANGE_TIMEOUT_MS, (done) => {
      let free = () => {}
      // Node says so when a response is over and the connection may go on.
      const onFree = () => connections.give(url, connection.value)
      socket.once("free", onFree)
      const sent = request({
        createConnection: () => socket,
        path: url.pathname + url.search,
        headers: { host: url.host, ...headers },
        maxHeaderSize: MAX_HEADER_BYTES,
      })
      sent.on("error", (error) => done({ unknown: whyOf(error) }))
      // A server that switches protocols unasked.
      sent.on("upgrade", () => done({ unknown: "malformed" }))
      sent.on("response", (response) => {
        head = response
        const { statusCode = 0, headersDistinct } = response
        const isPage = redirectOf(statusCode, headersDistinct) === undefined
        if (isPage) free = readBody(response, maxBodyBytes, done)
        else done({ value: Buffer.alloc(0) })
      })
      sent.end()
      return () => {
        free()
        if (head?.complete) return
        socket.off("free", onFree)
        sent.destroy()
      }
    })
    // A server may close a connection that it kept, just as it is used again.
    if (head === undefined && used && "unknown" in body && body.unknown === "refused") {
      return fetchOnce(url)
    }
    if (head === undefined) return "unknown" in body ? body : { unknown: "malformed" }
    const { statusCode: status = 0, headersDistinct } = head
    const exchange = { url: url.href, status, headers: keptHeaders(headersDistinct) }
    return { value: { exchange, body, authentic } }
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
  }
}

/** @returns The Location of an answer that sends a client on by it (RFC 9110 §15.4). */
export function redirectOf(
  status: number,
  headers: Readonly<Record<string, readonly string[] | undefined>>,
): string | undefined {
  return [301, 302, 303, 307, 308].includes(status) ? headers["location"]?.[0] : undefined
}
