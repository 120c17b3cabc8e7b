/**
 * HTTP/1 on a server of Node's: vets requests, and answers in the contract's form whatever Node
 * would answer by itself (parser errors, time-outs, expectations, CONNECT).
 *
 * Invariant: answers leave in the order of their requests, and after one that closes the
 * connection no further request of that connection is handled (RFC 9112 §9.6).
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { Server as HttpsServer } from "node:https"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import { Problem } from "../core/problem.ts"
import type { Limits } from "./limits.ts"
import type { Refusal } from "./refusal.ts"
import { badRequest, EXPECTATION_FAILED, NO_TUNNEL, rawRefusal, renderRefusal } from "./refusal.ts"

export interface Http1Options {
  readonly limits: Limits
  readonly protections: Readonly<Record<string, string>>
  readonly vet: (request: IncomingMessage) => Refusal | undefined
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void
}

/** Options of Node's servers that belong to this module. */
export function http1ServerOptions(limits: Limits) {
  return {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.checkIntervalMs,
    maxHeaderSize: limits.maxHeaderBytes,
    // Node would answer by itself, without our headers; vet.ts looks for it.
    requireHostHeader: false,
  }
}

const MALFORMED = badRequest("The request does not follow HTTP/1.1 (RFC 9112).")

export interface Http1 {
  /** Must see each connection that Node's listener gets. */
  prepare(socket: Socket): void
  /** From now on each answer is the last on its connection, and says so. */
  part(): void
  /** Ends idle connections, and the others when their answers are out. */
  retire(): void
}

/** Answers HTTP/1 on the server. */
export function speakHttp1(server: Server | HttpsServer, options: Http1Options): Http1 {
  const { limits, protections, vet, handler } = options
  const sockets = new Set<Socket>()
  const closing = new WeakSet<Duplex>()
  let parting = false
  const cutting = cutSilent(sockets, limits.silenceTimeoutMs)
  // Node drops what is beyond the count, also a second Host; vet.ts counts and refuses.
  server.maxHeadersCount = 0

  function accepts(request: IncomingMessage, response: ServerResponse): boolean {
    const { socket } = request
    if (closing.has(socket)) {
      socket.pause()
      return false
    }
    if (parting) {
      closing.add(socket)
      response.shouldKeepAlive = false
    }
    const refusal = vet(request)
    if (refusal === undefined) return true
    refuse(refusal, request, response)
    return false
  }

  function refuse(refusal: Refusal, request: IncomingMessage, response: ServerResponse): void {
    closing.add(request.socket)
    const { headers, body } = renderRefusal(refusal, protections, request.headers.accept)
    response.writeHead(refusal.status, { ...headers, connection: "close" }).end(body)
  }

  /** Ends our side, and reads on for a while: a reset would take the answer from the peer. */
  function linger(socket: Duplex, lastBytes?: string): void {
    closing.add(socket)
    if (socket.writable) socket.end(lastBytes)
    setTimeout(() => socket.destroy(), limits.lingerMs).unref()
  }

  /** Answers outside the request's order, once the answers before it are out. */
  function refuseInTurn(socket: Duplex, refusal: Refusal): void {
    const current = answerInTurn(socket)
    if (current?.req.complete) {
      current.once("close", () => refuseInTurn(socket, refusal))
    } else if (current?.headersSent) {
      socket.destroy()
    } else {
      linger(socket, rawRefusal(refusal, protections))
    }
  }

  server.on("request", (request, response) => {
    if (accepts(request, response)) handler(request, response)
  })
  server.on("checkContinue", (request, response) => {
    if (!accepts(request, response)) return
    response.writeContinue()
    handler(request, response)
  })
  server.on("checkExpectation", (request, response) => {
    if (accepts(request, response)) refuse(EXPECTATION_FAILED, request, response)
  })
  server.on("connect", ({ socket }) => {
    socket.on("error", () => socket.destroy())
    if (closing.has(socket)) return
    closing.add(socket)
    refuseInTurn(socket, NO_TUNNEL)
  })
  server.on("clientError", (error, socket) => {
    // Node reports again for every chunk that follows.
    if (closing.has(socket)) return
    closing.add(socket)
    const refusal = refusalOf(error)
    if (refusal === undefined || !socket.writable) socket.destroy()
    else refuseInTurn(socket, refusal)
  })

  // Node's closeIdleConnections cuts answers that are written but not yet sent.
  function retire(socket: Socket): void {
    const current = answerInTurn(socket)
    if (current === undefined) {
      linger(socket)
      return
    }
    endAfter(current, socket)
    current.once("close", () => retire(socket))
  }

  /** The last answer says so, and nothing after it is served (RFC 9112 §9.6). */
  function endAfter(current: ServerResponse, socket: Socket): void {
    if (current.headersSent) return
    current.shouldKeepAlive = false
    closing.add(socket)
  }

  return {
    prepare(socket) {
      socket.destroySoon = () => linger(socket)
      sockets.add(socket)
      socket.once("close", () => sockets.delete(socket))
    },
    part() {
      parting = true
      for (const socket of sockets) {
        const current = answerInTurn(socket)
        if (current !== undefined) endAfter(current, socket)
      }
    },
    retire() {
      clearInterval(cutting)
      for (const socket of sockets) retire(socket)
    },
  }
}

/** The answer whose turn it is on a connection: Node keeps it there, without documenting it. */
function answerInTurn(socket: Duplex): ServerResponse | undefined {
  return (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined
}

/**
 * Destroys connections on which nothing moved from one look to the next. By one timer for all: with
 * `server.timeout`, each read and write sets its socket's anew, which costs a request a twentieth.
 */
function cutSilent(sockets: ReadonlySet<Socket>, everyMs: number): NodeJS.Timeout {
  const bytesBefore = new WeakMap<Socket, number>()
  return setInterval(() => {
    for (const socket of sockets) {
      const bytes = socket.bytesRead + socket.bytesWritten
      if (bytes === bytesBefore.get(socket)) socket.destroy()
      else bytesBefore.set(socket, bytes)
    }
  }, everyMs).unref()
}

/** @returns What to answer to an error of Node's or llhttp's; undefined when nobody is there. */
function refusalOf(error: Error & { code?: string; reason?: string }): Refusal | undefined {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return { status: 431, problem: new Problem("HEADERS_TOO_LARGE") }
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return { status: 413, problem: new Problem("TOO_LARGE") }
    case "HPE_INVALID_VERSION":
      return error.reason === "Invalid HTTP version"
        ? badRequest("HTTP/1.1 is spoken here.", 505)
        : MALFORMED
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return badRequest("The request took too long to arrive.", 408)
    case "HPE_PAUSED":
      return undefined // Node's own, when requests are pipelined very deep: they are well-formed
    default:
      return error.code?.startsWith("HPE_") ? MALFORMED : undefined
  }
}
