/**
 * Asks a server that vanishes without a word, and says after how many milliseconds it was given up. To be
 * run in a network of its own (`unshare --net`), whose loopback it takes down.
 */
import { execFileSync } from "node:child_process"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { createServer } from "node:net"
import pg from "pg"
import { clientConfig } from "../../src/db/connection.ts"

/** AuthenticationOk and ReadyForQuery (PostgreSQL, "Message Formats"). */
const WELCOME = Buffer.from("R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", "latin1")

const loopback = (state: "up" | "down") => execFileSync("ip", ["link", "set", "lo", state])

loopback("up")
const server = createServer((socket) => socket.once("data", () => socket.write(WELCOME)))
server.listen(0, "127.0.0.1")
await once(server, "listening")
const { port } = server.address() as AddressInfo
const address = { url: `postgresql://127.0.0.1:${port}/zt?sslmode=disable` }
const client = new pg.Client(clientConfig(address, { user: "somebody", password: "" }))
client.on("error", () => {})
await client.connect()
const asked = client.query("select 1") // arrives, and is never answered
await new Promise((resolve) => setTimeout(resolve, 100))
loopback("down")
const began = performance.now()
await asked.catch(() => {})
console.log(Math.round(performance.now() - began))
process.exit()
