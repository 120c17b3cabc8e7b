/**
 * Run by `lab.test.ts` in a process of its own: starts a lab, visits many of its ports at once,
 * closes it amid all that, and prints what is left.
 */
import { connect } from "node:net"
import { setImmediate } from "node:timers/promises"
import { startLab } from "../lab.ts"
import { addressMap } from "./client.ts"

const lab = await startLab({ delayMs: 50 })
const visitors = [...new Set(addressMap(lab).values())].slice(0, 60).map((port) => {
  const socket = connect(port, "127.0.0.1")
  socket.on("error", () => {})
  return socket
})
await Promise.all(
  visitors.map((socket) => new Promise((done) => socket.on("connect", done).on("close", done))),
)
for (const socket of visitors) socket.write("GET / HTTP/1.1\r\nHost: lab.test\r\n\r\n")
await lab.close()
for (const socket of visitors) socket.destroy()
for (let turn = 0; turn < 2; turn++) await setImmediate() // handles close at a turn's end
const left = process.getActiveResourcesInfo().filter((kind) => !/^(Pipe|TTY|Immediate)/.test(kind))
process.stdout.write(JSON.stringify({ caFile: lab.settings.ZT_CA_FILE, left }))
