/**
 * The edge: one port for HTTPS (HTTP/1.1 and 2), one for plain HTTP, which redirects (T1 to T3).
 *
 * Owns: listening, TLS, what is refused before the app. Not: routes, keys beyond their syntax.
 * Invariant: no request reaches the handler but over TLS, vetted, for a host of ours.
 */
import { randomBytes } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer as createHttpServer } from "node:http"
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2"
import { createServer as createHttpsServer } from "node:https"
import type { AddressInfo, Server } from "node:net"
import { Server as NetServer } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import type { TLSSocket } from "node:tls"
import { Problem } from "../core/problem.ts"
import type { Doors } from "./arrivals.ts"
import { Arrivals } from "./arrivals.ts"
import type { CertificateSource } from "./certificates.ts"
import { PLAIN_HEADERS, SECURITY_HEADERS } from "./headers.ts"
import { hostJudge } from "./hosts.ts"
import { http1ServerOptions, speakHttp1 } from "./http1.ts"
import { createHttp2 } from "./http2.ts"
import type { Limits } from "./limits.ts"
import { LIMITS } from "./limits.ts"
import type { FindKeys } from "./redirect.ts"
import { redirectTo, refuseKeys } from "./redirect.ts"
import { TLS_POLICY } from "./tls.ts"
import type { EdgeRequest } from "./vet.ts"
import { vet } from "./vet.ts"

export interface EdgeOptions extends Doors {
  /** Address to listen on. */
  readonly bind: string
  /** 0 takes a free port. */
  readonly httpsPort: number
  readonly httpPort: number
  /** The configured public host, lower case: redirects lead to it, at the port for HTTPS. */
  readonly host: string
  readonly certificates: CertificateSource
  readonly handler: (
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ) => void
  readonly findKeys: FindKeys
  /** Told of each well-formed key that came over plain HTTP, after the request; must not throw. */
  readonly onKeyInClear?: (key: string) => void
  readonly limits?: Partial<Limits>
}

export interface Edge {
  readonly httpsPort: number
  readonly httpPort: number
  /** For so long connections are accepted, and answers ask their peers to go elsewhere. */
  drain(ms: number): Promise<void>
  /**
   * Stops accepting, and closes the certificates' source; answers under way have `graceMs` to
   * finish, then connections are cut.
   */
  close(graceMs: number): Promise<void>
}

/** @throws Problem `INVALID_SETTING` when an address or port cannot be had. */
export async function listen(options: EdgeOptions): Promise<Edge> {
  const { certificates, handler, findKeys, onKeyInClear = () => {} } = options
  const limits = { ...LIMITS, ...options.limits }
  const judgeHost = hostJudge(options.host)

  const secure = createHttpsServer({
    ...http1ServerOptions(limits),
    ...TLS_POLICY,
    ...certificates.current(),
    ALPNProtocols: ["h2", "http/1.1"],
    handshakeTimeout: limits.handshakeTimeoutMs,
  })
  const rules = { scheme: "https", judgeHost, limits } as const
  const common = {
    limits,
    protections: SECURITY_HEADERS,
    vet: (request: EdgeRequest) => vet(request, rules),
    handler,
  }
  const http2 = createHttp2(common)
  const http1 = speakHttp1(secure, common)
  // The listening server is the HTTP/1 one, because only that enforces its time-outs; sockets
  // that chose h2 go to the other before it sees them.
  const http1Listeners = secure.listeners("secureConnection")
  secure.removeAllListeners("secureConnection")
  secure.on("secureConnection", (socket: TLSSocket) => {
    arrivals.identify(socket)
    if (socket.alpnProtocol === "h2") return http2.accept(socket)
    http1.prepare(socket)
    for (const listener of http1Listeners) listener.call(secure, socket)
  })
  // Node hands these to clientError, but without a handshake there is nobody to answer.
  secure.removeAllListeners("tlsClientError")
  secure.on("tlsClientError", (_error, socket) => socket.destroy())

  const plain = createHttpServer(http1ServerOptions(limits))
  const arrivals = new Arrivals(options, limits.handshakeTimeoutMs)
  for (const server of [secure, plain]) {
    server.maxConnections = limits.maxConnections
    arrivals.guard(server)
  }

  const httpsPort = await start(secure, "ZT_HTTPS_PORT", options.bind, options.httpsPort)
  const origin = `https://${options.host}${httpsPort === 443 ? "" : `:${httpsPort}`}`
  const plainRules = { scheme: "http", judgeHost, limits } as const
  const redirector = speakHttp1(plain, {
    limits,
    protections: PLAIN_HEADERS,
    vet: (request) => refuseKeys(request, findKeys, onKeyInClear) ?? vet(request, plainRules),
    handler: redirectTo(origin),
  })
  plain.on("connection", redirector.prepare)
  const httpPort = await start(plain, "ZT_HTTP_PORT", options.bind, options.httpPort).catch(
    (problem: unknown) => {
      void stop(secure)
      throw problem
    },
  )

  const part = () => {
    for (const protocol of [http1, redirector]) protocol.part()
    http2.retire()
  }
  const retire = () => {
    for (const one of [http1, http2, redirector, arrivals]) one.retire()
  }
  certificates.onChange((pair) => secure.setSecureContext({ ...TLS_POLICY, ...pair }))
  const rotation = setInterval(
    () => secure.setTicketKeys(randomBytes(48)),
    limits.ticketKeyLifeMs,
  ).unref()

  return {
    httpsPort,
    httpPort,
    async drain(ms) {
      if (ms === 0) return
      part()
      await sleep(ms)
    },
    async close(graceMs) {
      clearInterval(rotation)
      certificates.close()
      const closed = Promise.all([secure, plain].map(stop))
      part()
      const parted = setTimeout(retire, Math.min(limits.partingMs, graceMs))
      const cut = setTimeout(() => arrivals.cut(), graceMs)
      await closed
      clearTimeout(parted)
      clearTimeout(cut)
      retire()
    },
  }
}

async function start(server: Server, setting: string, bind: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.on("error", (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === "EADDRINUSE"
          ? `port ${port} on ${bind} is taken; stop what listens there, or choose another port`
          : cause.code === "EACCES"
            ? `this user may not listen on port ${port}; choose one from 1024 up`
            : `cannot listen on port ${port} of ${bind} (${cause.code})`
      reject(new Problem("INVALID_SETTING", { message: `${setting}: ${why}.`, cause }))
    })
    server.listen(port, bind, resolve)
  })
  return (server.address() as AddressInfo).port
}

/** Stops listening; resolves when the last connection is gone. */
function stop(server: Server): Promise<void> {
  // Not the HTTP servers' own close, which cuts answers that are written but not yet sent, and
  // stops looking at time-outs.
  return new Promise((resolve) => {
    NetServer.prototype.close.call(server, () => {
      server.close() // for its timer
      resolve()
    })
  })
}
