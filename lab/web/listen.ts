/**
 * Listening on loopback: one TCP listener an endpoint of the lab, with or without TLS, that
 * counts every connection and gives what its answer says.
 *
 * Owns sockets and their end. Not: what is said (`answer.ts`), certificates (`../tls/`).
 */
import { createServer as createHttpServer } from "node:http"
import type { Server, Socket } from "node:net"
import { createServer } from "node:net"
import type { Duplex } from "node:stream"
import type { TlsOptions } from "node:tls"
import { createServer as createTlsServer } from "node:tls"
import type { Latency } from "../latency.ts"
import type { Answer, Stage } from "./answer.ts"

export interface Listener {
  /** On 127.0.0.1. */
  readonly port: number
  close(): Promise<void>
}

export interface Tls {
  readonly versions: TlsOptions
  /** Asked once, by the first who connects: most ports of a lab are never visited. */
  readonly credentials: () => Promise<TlsOptions>
}

export interface Listening {
  readonly answer: Exclude<Answer, { kind: "refused" }>
  readonly tls?: Tls
  readonly stage: Stage
  readonly latency: Latency
  readonly onConnection: () => void
}

export async function listen(listening: Listening): Promise<Listener> {
  const { answer, tls, latency, onConnection } = listening
  const sockets = new Set<Socket>()
  let speaking: ReturnType<typeof speaker> | undefined
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    onConnection()
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
    socket.on("error", () => {}) // the other side's doing, most often a reset
    latency.after(tls === undefined ? 1 : handshakeTrips(tls.versions), async () => {
      speaking ??= speaker(listening)
      const speak = await speaking
      if (socket.destroyed) return
      if (answer.kind === "closes") socket.end()
      else if (answer.kind === "resets") socket.resetAndDestroy()
      else if (answer.kind === "silent") socket.resume()
      else speak(socket)
    })
  })
  return { port: await listenOn(server), close: () => closeAll(server, sockets) }
}

/** TCP takes one round trip, TLS 1.3 one more (RFC 8446 §2), older versions two more. */
function handshakeTrips({ maxVersion }: TlsOptions): number {
  return maxVersion === undefined || maxVersion === "TLSv1.3" ? 2 : 3
}

async function speaker({
  answer,
  tls,
  stage,
  latency,
}: Listening): Promise<(socket: Socket) => void> {
  const speakPlain = (stream: Duplex) => {
    if (answer.kind === "http") http.emit("connection", stream)
    if (answer.kind === "raw") {
      stream.on("error", () => {})
      stream.once("data", () => latency.after(1, () => answer.talk(stream)))
    }
    stream.resume()
  }
  const http = createHttpServer({ keepAlive: true }, (request, response) => {
    latency.after(1, () => {
      if (answer.kind === "http") answer.respond(request, response, stage)
    })
  })
  if (tls === undefined) return speakPlain
  const options = { ...tls.versions, ...(await tls.credentials()), ALPNProtocols: ["http/1.1"] }
  const server = createTlsServer(options, speakPlain)
  server.on("tlsClientError", () => {})
  return (socket) => server.emit("connection", socket)
}

/** @returns The port of 127.0.0.1 that the kernel gave. */
export function listenOn(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })
}

export function closeAll(server: Server, sockets: Iterable<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    for (const socket of sockets) socket.destroy()
  })
}
