/**
 * Sends requests without a good key at a fixed rate until standard input closes, then prints what came
 * back as JSON. A process of its own, so that it does not disturb who measures.
 *
 * Arguments: port, CA file, requests a second, addresses, kind (`keyless`, `malformed`, `unknown` or
 * `mixed`), `keep` or `fresh` connections. Each address of 127.0.0.0/8 keeps one connection; with `fresh`,
 * each request has its own.
 */
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { connect as connectTcp } from "node:net"
import type { TLSSocket } from "node:tls"
import { connect, createSecureContext } from "node:tls"
import { generateKey } from "../src/keys/format.ts"

const TICK_MS = 5
const [port, caFile = "", rate, addresses, kind = "mixed", connections] = process.argv.slice(2)
const perSecond = Number(rate)
const secureContext = createSecureContext({ ca: readFileSync(caFile) })
const isFresh = connections === "fresh"

const request = (target: string, header = "") =>
  `GET ${target} HTTP/1.1\r\nhost: localhost:${port}\r\n${header}${isFresh ? "connection: close\r\n" : ""}\r\n`
const keyed = (key: string) =>
  request("/v1/analyze?domain=lindenshop.test", `x-api-key: ${key}\r\n`)
const many = (make: () => string) => Array.from({ length: 5_000 }, make)
const requests = {
  keyless: [request("/v1/analyze?domain=lindenshop.test"), request("/v1/health"), request("/docs")],
  malformed: many(() => keyed(generateKey("live").slice(0, -1))),
  unknown: many(() => keyed(generateKey("live"))),
}
const texts =
  kind === "mixed"
    ? requests.unknown.flatMap((one, n) => [
        requests.keyless[n % 3] ?? "",
        requests.malformed[n] ?? "",
        one,
      ])
    : requests[kind as keyof typeof requests]

const statuses: Record<string, number> = {}
/** Who waits for no answer: nothing is sent behind a request that is not answered (RFC 9112 §9.3.2). */
const idle: TLSSocket[] = []
let sent = 0
let late = 0
let failed = 0
let opened = 0

function open(): TLSSocket {
  opened++
  const n = opened % Number(addresses)
  const socket = connect({
    socket: connectTcp({
      port: Number(port),
      host: "127.0.0.1",
      localAddress: `127.0.${1 + (n >> 8)}.${n & 255}`,
      noDelay: true,
    }),
    servername: "localhost",
    secureContext,
  })
  socket.on("data", (chunk: Buffer) => {
    const text = chunk.toString("latin1")
    for (const [, status = ""] of text.matchAll(/HTTP\/1\.1 (\d{3})/g)) {
      statuses[status] = (statuses[status] ?? 0) + 1
      if (!isFresh) idle.push(socket)
    }
  })
  socket.on("error", () => failed++)
  return socket
}

if (!isFresh) {
  const opening: Promise<unknown>[] = []
  for (let n = 0; n < Number(addresses); n++) {
    const socket = open()
    opening.push(once(socket, "secureConnect"))
    if (n % 20 === 0) await opening.at(-1)
    idle.push(socket)
  }
  await Promise.all(opening)
}
console.log("ready")
await new Promise((resolve) => process.stdin.once("data", resolve))
const began = performance.now()
const ticking = setInterval(() => {
  const due = ((performance.now() - began) / 1_000) * perSecond
  for (; sent + late < due; ) {
    const socket = isFresh ? open() : idle.shift()
    if (socket === undefined) late++
    else socket.write(texts[sent++ % texts.length] ?? "")
  }
}, TICK_MS)
process.stdin.once("end", () => {
  clearInterval(ticking)
  const seconds = (performance.now() - began) / 1_000
  const { user, system } = process.cpuUsage()
  console.log(
    JSON.stringify({
      perSecond: sent / seconds,
      statuses,
      late,
      failed,
      cpu: (user + system) / 1e6,
    }),
  )
  process.exit()
})
