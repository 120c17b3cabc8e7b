/**
 * HTTP/2 on sockets that chose `h2`: the same vetting and refusals as HTTP/1, and the time-outs
 * that Node leaves out. Floods (resets, pings, settings, CONTINUATION) are nghttp2's and Node's.
 */
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Session } from "node:http2"
import { constants, createServer } from "node:http2"
import type { Socket } from "node:net"
import type { Limits } from "./limits.ts"
import type { Refusal } from "./refusal.ts"
import { EXPECTATION_FAILED, NO_TUNNEL, renderRefusal } from "./refusal.ts"

export interface Http2Options {
  readonly limits: Limits
  readonly protections: Readonly<Record<string, string>>
  readonly vet: (request: Http2ServerRequest) => Refusal | undefined
  readonly handler: (request: Http2ServerRequest, response: Http2ServerResponse) => void
}

export interface Http2 {
  /** Takes a connection over. */
  accept(socket: Socket): void
  /**
   * Says GOAWAY on every connection, and ends it when its answers are out. A stream that its peer opens
   * before it has heard that is told to be refused, so the peer may try it elsewhere (RFC 9113 §8.7).
   * Node has no GOAWAY that only announces.
   */
  retire(): void
}

/** A server that never listens: it is handed its sockets. */
export function createHttp2({ limits, protections, vet, handler }: Http2Options): Http2 {
  const sessions = new Set<ServerHttp2Session>()
  const server = createServer({
    maxHeaderListPairs: limits.maxHeaderCount + 4, // pseudo-headers
    settings: {
      maxConcurrentStreams: limits.maxConcurrentStreams,
      maxHeaderListSize: limits.maxHeaderBytes,
    },
  })

  function accepts(request: Http2ServerRequest, response: Http2ServerResponse): boolean {
    const refusal = vet(request)
    if (refusal !== undefined) refuse(refusal, request, response)
    return refusal === undefined
  }

  function refuse(
    refusal: Refusal,
    request: Http2ServerRequest,
    response: Http2ServerResponse,
  ): void {
    const { headers, body } = renderRefusal(refusal, protections, request.headers.accept)
    response.writeHead(refusal.status, headers)
    response.end(body)
  }

  server.setTimeout(limits.silenceTimeoutMs)
  server.on("session", (session) => {
    sessions.add(session)
    session.once("close", () => sessions.delete(session))
    watch(session, limits)
  })
  server.on("request", (request, response) => {
    if (accepts(request, response)) handler(request, response)
  })
  server.on("checkContinue", (request, response) => {
    if (!accepts(request, response)) return
    response.writeContinue()
    handler(request, response)
  })
  server.on("checkExpectation", (request: Http2ServerRequest, response: Http2ServerResponse) => {
    refuse(EXPECTATION_FAILED, request, response)
  })
  server.on("connect", (request: Http2ServerRequest, response: Http2ServerResponse) => {
    refuse(NO_TUNNEL, request, response)
  })

  return {
    accept: (socket) => server.emit("connection", socket),
    retire: () => {
      for (const session of sessions) session.close()
    },
  }
}

/**
 * Ends a session without an open stream, whatever else it sends (pings, half a header block), and
 * a stream whose request does not arrive or whose answer is not read.
 */
function watch(session: ServerHttp2Session, limits: Limits): void {
  let open = 0
  const idle = setTimeout(() => {
    if (open > 0) return
    session.close()
    session.destroy()
  }, limits.keepAliveTimeoutMs).unref()
  session.once("close", () => clearTimeout(idle))
  session.on("stream", (stream) => {
    open++
    stream.setTimeout(limits.silenceTimeoutMs, () => stream.close(constants.NGHTTP2_CANCEL))
    const arriving = stream.endAfterHeaders
      ? undefined
      : setTimeout(() => {
          if (!stream.readableEnded) stream.close(constants.NGHTTP2_CANCEL)
        }, limits.requestTimeoutMs).unref()
    stream.once("close", () => {
      clearTimeout(arriving)
      if (--open === 0) idle.refresh()
    })
  })
}
