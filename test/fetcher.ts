/** A fetcher that meets a server of the test's own under every name, and what it brings back. */
import { once } from "node:events"
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:http"
import type { AddressInfo, Server, Socket } from "node:net"
import type { TestContext } from "node:test"
import { createConnections } from "../src/engine/observe/connections.ts"
import { createDialer } from "../src/engine/observe/dial.ts"
import type { Fetched, Fetcher } from "../src/engine/observe/fetch.ts"
import { createFetcher } from "../src/engine/observe/fetch.ts"
import { createTrustStore } from "../src/engine/observe/tls.ts"
import type { Known } from "../src/engine/types.ts"

const trust = createTrustStore()
/** The most that it reads of a body, in bytes. */
export const CAP = 64 * 1024
const LIMITS = { accept: "text/html", maxBodyBytes: CAP }

/** A fetcher for which every name leads to the server, by the address map. */
export async function fetcherFor(t: TestContext, server: Server): Promise<Fetcher> {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const sockets = new Set<Socket>()
  server.on("connection", (socket) => sockets.add(socket))
  const stop = new AbortController()
  t.after(() => {
    stop.abort()
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const { port } = server.address() as AddressInfo
  const map = new Map([["8.8.4.4:80", { address: "127.0.0.1", port }]])
  const records = [{ data: "8.8.4.4", ttl: 1 }]
  const lookup = async () => ({ value: { rcode: "NOERROR" as const, records } })
  const dialer = createDialer(lookup, map, stop.signal)
  t.after(() => dialer.close())
  const connections = createConnections(dialer, trust, stop.signal)
  return createFetcher(connections, LIMITS, "ZygenTrust/0 (+test)", stop.signal)
}

/** GETs a page from whoever answers so. */
export async function get(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Known<Fetched>> {
  const fetcher = await fetcherFor(t, createServer(answer))
  return fetcher.get(new URL("http://shop.example/"))
}

/** @returns The body as text; where there is none, what came instead. */
export function bodyOf(fetched: Known<Fetched>): string {
  return "unknown" in fetched || "unknown" in fetched.value.body
    ? JSON.stringify(fetched)
    : fetched.value.body.value.toString()
}
