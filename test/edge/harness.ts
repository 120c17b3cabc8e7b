/** An edge with a small app behind it, and clients that say exactly the bytes they are told to. */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2"
import { connect as connectPlain } from "node:net"
import { connect as connectTls } from "node:tls"
import type { Doors } from "../../src/edge/arrivals.ts"
import type { CertificatePair, CertificateSource } from "../../src/edge/certificates.ts"
import { SECURITY_HEADERS } from "../../src/edge/headers.ts"
import type { Limits } from "../../src/edge/limits.ts"
import type { Edge } from "../../src/edge/listener.ts"
import { listen } from "../../src/edge/listener.ts"
import { makeAuthority, makeLeaf } from "../../src/edge/x509.ts"
import { findKeys } from "../../src/keys/format.ts"

export const HOST = "api.shop.example"

const authority = await makeAuthority(HOST, new Date())
export const CA = authority.certificate

/** @returns A new pair under CA for the host and the loopback names. */
export async function newPair(): Promise<CertificatePair> {
  const leaf = await makeLeaf(authority, ["localhost", HOST, "127.0.0.1", "::1"], new Date())
  return { cert: leaf.certificate, key: leaf.key }
}

const pair = await newPair()

export interface TestEdge extends Edge {
  /** Targets that reached the app, in order. */
  readonly seen: string[]
  /** Keys reported as sent in clear. */
  readonly keysInClear: string[]
  readonly certificates: CertificateSource & { replace(pair: CertificatePair): void }
}

/**
 * The app: `/address` answers with the client's, `/status/NNN` with that status, `/slow/NNN` after so many
 * milliseconds, `/echo` with the body, `/large` with 8 MB, `/begun` sends half an answer and
 * stops, `/never` does not answer; all else 200.
 */
export async function startEdge(
  limits: Partial<Limits> = {},
  ports: { httpsPort?: number; httpPort?: number } = {},
  doors: Doors = {},
): Promise<TestEdge> {
  const seen: string[] = []
  const keysInClear: string[] = []
  const certificates = replaceable(pair)
  const edge = await listen({
    bind: "127.0.0.1",
    httpsPort: 0,
    httpPort: 0,
    ...ports,
    host: HOST,
    certificates,
    findKeys,
    ...doors,
    onKeyInClear: (key) => keysInClear.push(key),
    handler: (request, response) => {
      seen.push(
        `${request.method} ${request.url} ${request.headers.host ?? request.headers[":authority"]}`,
      )
      void app(request, response as ServerResponse)
    },
    limits,
  })
  return { ...edge, seen, keysInClear, certificates }
}

function replaceable(first: CertificatePair) {
  let current = first
  let tell = (_: CertificatePair) => {}
  return {
    current: () => current,
    onChange: (listener: (next: CertificatePair) => void) => {
      tell = listener
    },
    close: () => {},
    replace: (next: CertificatePair) => {
      current = next
      tell(next)
    },
  }
}

async function app(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
): Promise<void> {
  const answer = (status: number, body: string) => {
    const headers = { ...SECURITY_HEADERS, "content-length": Buffer.byteLength(body) }
    ;(response as ServerResponse).writeHead(status, headers).end(body)
  }
  const [, route, argument] = (request.url ?? "").split("/")
  if (route === "address") answer(200, request.socket.remoteAddress ?? "")
  else if (route === "status") answer(Number(argument), "")
  else if (route === "slow") setTimeout(() => answer(200, "slow"), Number(argument))
  else if (route === "large") answer(200, "a".repeat(8_000_000))
  else if (route === "begun") {
    ;(response as ServerResponse).writeHead(200, { ...SECURITY_HEADERS, "content-length": "100" })
    ;(response as ServerResponse).write("half")
  } else if (route === "echo") {
    const chunks: Buffer[] = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => answer(200, Buffer.concat(chunks).toString()))
    request.on("error", () => {})
  } else if (route !== "never") answer(200, "hello")
}

export interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** No test waits longer for a server that should have closed. */
const SILENCE_MS = 5_000

/**
 * Says the bytes (and ends, if so told), and listens until the server closes, or until so many
 * answers are in.
 * @returns All that came, as answers. Rejects when what came is not a sequence of whole answers.
 */
export async function say(
  port: number,
  bytes: string | readonly string[],
  options: { tls?: boolean; until?: number; head?: boolean; end?: boolean } = {},
): Promise<Answer[]> {
  const { tls = true, until = Number.POSITIVE_INFINITY, head = false, end = false } = options
  const socket = tls
    ? connectTls({ port, host: "127.0.0.1", ca: CA, servername: HOST })
    : connectPlain(port, "127.0.0.1")
  let heard = ""
  await new Promise<void>((resolve, reject) => {
    socket.setEncoding("latin1")
    socket.on("data", (text: string) => {
      heard += text
      if (until < Number.POSITIVE_INFINITY && parseAnswers(heard, false, head).length >= until)
        resolve()
    })
    socket.on("end", resolve)
    socket.on("close", () => resolve())
    socket.on("error", reject)
    socket.setTimeout(SILENCE_MS, () => reject(new Error(`nothing more came after: ${heard}`)))
    socket.once(tls ? "secureConnect" : "connect", () => {
      for (const part of [bytes].flat()) socket.write(part, "latin1")
      if (end) socket.end()
    })
  }).finally(() => socket.destroy())
  return parseAnswers(heard, true, head)
}

/**
 * @param whole - Whether a rest that is no whole answer throws.
 * @param head - Answers to HEAD, which have no body whatever their headers say.
 */
export function parseAnswers(text: string, whole: boolean, head = false): Answer[] {
  const answers: Answer[] = []
  let rest = text
  while (rest !== "") {
    const end = rest.indexOf("\r\n\r\n")
    const match = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n/.exec(rest)
    if (end < 0 || match === null) break
    const headers = new Map<string, string>()
    for (const line of rest.slice(match[0].length, end).split("\r\n")) {
      const [, name = "", value = ""] = /^([!-9;-~]+): *(.*)$/.exec(line) ?? []
      if (headers.has(name.toLowerCase())) throw new Error(`${name} twice in ${rest}`)
      headers.set(name.toLowerCase(), value)
    }
    const status = Number(match[1])
    const after = rest.slice(end + 4)
    const [body, left] = head ? ["", after] : takeBody(after, status, headers)
    if (body === undefined) break
    rest = left
    answers.push({ status, headers, body })
  }
  if (whole && rest !== "") throw new Error(`not a whole answer: ${rest}`)
  return answers
}

function takeBody(
  text: string,
  status: number,
  headers: ReadonlyMap<string, string>,
): [body: string | undefined, rest: string] {
  if (status < 200 || status === 204 || status === 304) return ["", text]
  if (headers.get("transfer-encoding") === "chunked") {
    let rest = text
    let body = ""
    for (;;) {
      const match = /^([\da-f]+)\r\n/i.exec(rest)
      if (match === null) return [undefined, text]
      const size = Number.parseInt(match[1] ?? "", 16)
      const start = match[0].length
      if (rest.length < start + size + 2) return [undefined, text]
      body += rest.slice(start, start + size)
      rest = rest.slice(start + size + 2)
      if (size === 0) return [body, rest]
    }
  }
  const length = Number(headers.get("content-length") ?? 0)
  return text.length < length ? [undefined, text] : [text.slice(0, length), text.slice(length)]
}
