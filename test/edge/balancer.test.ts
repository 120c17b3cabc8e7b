/** Behind a TCP balancer: whose address counts, and what is refused. */
import assert from "node:assert/strict"
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { connect as connectHttp2 } from "node:http2"
import type { AddressInfo, Socket } from "node:net"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { connect as connectTls } from "node:tls"
import { promisify } from "node:util"
import type { TestEdge } from "./harness.ts"
import { CA, HOST, parseAnswers, startEdge } from "./harness.ts"

const REQUEST = `GET /address HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`
const V1 = Buffer.from("PROXY TCP4 192.0.2.7 203.0.113.9 54321 443\r\n")
const V2 = Buffer.from(
  "0d0a0d0a000d0a515549540a21210024" +
    "20010db8000000000000000000000007" +
    "20010db8000000000000000000000001d43101bb",
  "hex",
)
const LOCAL = Buffer.from("0d0a0d0a000d0a515549540a20000000", "hex")

const missing = await promisify(execFile)("haproxy", ["-v"]).then(
  () => false as const,
  () => "haproxy is not installed, so the tests with it are MISSING (Debian: apt install haproxy)",
)
if (missing) console.error(missing)

async function start(t: TestContext, balancer = "127.0.0.1") {
  const entered: (string | undefined)[] = []
  const edge = await startEdge(
    { lingerMs: 20, handshakeTimeoutMs: 300 },
    {},
    {
      isBalancer: (address) => address === balancer,
      enter: (address) => {
        entered.push(address)
        return () => {}
      },
    },
  )
  t.after(() => edge.close(0))
  return { edge, entered }
}

/** Says the pieces one by one, then asks over TLS. @returns The answer's body. */
async function ask(edge: TestEdge, pieces: readonly Buffer[]): Promise<string> {
  const socket = connect({ port: edge.httpsPort, host: "127.0.0.1", noDelay: true })
  await once(socket, "connect")
  for (const piece of pieces) {
    socket.write(piece)
    if (pieces.length > 1) await sleep(2)
  }
  return over(socket)
}

async function over(socket: Socket): Promise<string> {
  const secure = connectTls({ socket, ca: CA, servername: HOST })
  let heard = ""
  secure.setEncoding("latin1").on("data", (chunk) => {
    heard += chunk
  })
  secure.write(REQUEST)
  await once(secure, "close")
  const [answer] = parseAnswers(heard, true)
  return answer?.body ?? ""
}

/** @returns What came until the server closed. */
async function say(port: number, ...pieces: readonly (Buffer | string)[]): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" }).on("error", () => {})
  let heard = ""
  socket.setEncoding("latin1").on("data", (chunk) => {
    heard += chunk
  })
  for (const piece of pieces) socket.write(piece)
  await once(socket, "close")
  return heard
}

describe("behind a balancer that says who connected", () => {
  for (const [what, pieces, address] of [
    ["version 1", [V1], "192.0.2.7"],
    ["version 2", [V2], "2001:db8:0:0:0:0:0:7"],
    ["version 2, byte by byte", [...V2].map((byte) => Buffer.from([byte])), "2001:db8:0:0:0:0:0:7"],
    ["the balancer's own look", [LOCAL], "127.0.0.1"],
  ] as const) {
    it(`a client's address is what it says: ${what}`, async (t) => {
      const { edge, entered } = await start(t)
      assert.equal(await ask(edge, pieces), address)
      assert.deepEqual(entered, [address])
    })
  }

  it("so it is over HTTP/2", async (t) => {
    const { edge } = await start(t)
    const socket = connect({ port: edge.httpsPort, host: "127.0.0.1" })
    socket.write(V1)
    const session = connectHttp2(`https://${HOST}`, {
      createConnection: () =>
        connectTls({ socket, ca: CA, servername: HOST, ALPNProtocols: ["h2"] }),
    })
    t.after(() => session.close())
    const stream = session.request({ ":path": "/address" })
    let body = ""
    for await (const chunk of stream) body += chunk
    assert.equal(body, "192.0.2.7")
  })

  it("so it is over plain HTTP, which redirects", async (t) => {
    const { edge, entered } = await start(t)
    const [answer] = parseAnswers(await say(edge.httpPort, V1, REQUEST), true)
    assert.equal(answer?.status, 308)
    assert.deepEqual(entered, ["192.0.2.7"])
  })

  it("a connection without a header is closed, and one that does not send it in time", async (t) => {
    const { edge, entered } = await start(t)
    assert.equal(await say(edge.httpPort, REQUEST), "")
    await assert.rejects(over(connect(edge.httpsPort, "127.0.0.1")))
    assert.equal(await say(edge.httpPort, V1.subarray(0, 10)), "")
    assert.deepEqual(entered, [])
    assert.deepEqual(edge.seen, [])
  })

  it("may reset it before its header", async (t) => {
    const { edge } = await start(t)
    const socket = connect({ port: edge.httpsPort, host: "127.0.0.1" })
    await once(socket, "connect")
    socket.write(V1.subarray(0, 10))
    await sleep(20)
    socket.resetAndDestroy()
    await sleep(20)
    assert.equal(await ask(edge, [V1]), "192.0.2.7")
  })

  it("two clients by one port of the balancer's, to the one and the other of ours, are two", async (t) => {
    const { edge } = await start(t)
    const localPort = await freePort()
    const open = async (port: number, header: Buffer) => {
      const socket = connect({ port, host: "127.0.0.1", localPort })
      t.after(() => socket.destroy())
      await once(socket, "connect")
      socket.write(header)
      return socket
    }
    const secure = await open(edge.httpsPort, V1)
    await sleep(20)
    await open(edge.httpPort, V2)
    await sleep(20)
    assert.equal(await over(secure), "192.0.2.7")
  })

  it("nobody else is believed", async (t) => {
    const { edge, entered } = await start(t, "127.0.0.2")
    const [answer] = parseAnswers(await say(edge.httpPort, V1, REQUEST), true)
    assert.equal(answer?.status, 400)
    await assert.rejects(ask(edge, [V1]))
    assert.deepEqual(entered, ["127.0.0.1", "127.0.0.1"])
  })

  for (const send of ["send-proxy", "send-proxy-v2"]) {
    it(`HAProxy with ${send}`, { skip: missing }, async (t) => {
      const { edge, entered } = await start(t)
      const port = await freePort()
      const folder = await mkdtemp(join(tmpdir(), "zt-haproxy-"))
      t.after(() => rm(folder, { recursive: true }))
      const config = join(folder, "haproxy.cfg")
      await writeFile(
        config,
        `defaults
  mode tcp
  timeout connect 5s
  timeout client 5s
  timeout server 5s
listen edge
  bind 127.0.0.1:${port}
  server one 127.0.0.1:${edge.httpsPort} ${send} check inter 50ms
`,
      )
      const haproxy = spawn("haproxy", ["-db", "-f", config], { stdio: "ignore" })
      t.after(async () => {
        haproxy.kill("SIGKILL")
        await once(haproxy, "exit")
      })
      let socket = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.9" })
      while (
        !(await once(socket, "connect")
          .then(() => true)
          .catch(() => false))
      ) {
        await sleep(20)
        socket = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.9" })
      }
      assert.equal(await over(socket), "127.0.0.9")
      assert.ok(entered.includes("127.0.0.9"), entered.join())
    })
  }
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
