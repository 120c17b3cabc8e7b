/** Slow, idle and too many peers: each is answered or cut in its time. */
import assert from "node:assert/strict"
import { once } from "node:events"
import { connect as connectHttp2 } from "node:http2"
import type { Socket } from "node:net"
import { connect } from "node:net"
import type { TestContext } from "node:test"
import { describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { connect as connectTls } from "node:tls"
import type { Limits } from "../../src/edge/limits.ts"
import { LIMITS } from "../../src/edge/limits.ts"
import { Connections } from "../../src/floods/connections.ts"
import type { TestEdge } from "./harness.ts"
import { CA, HOST, parseAnswers, startEdge } from "./harness.ts"

const QUICK: Partial<Limits> = { checkIntervalMs: 10, lingerMs: 10 }
const START = `POST /echo HTTP/1.1\r\nHost: ${HOST}\r\n`

/** Node wants the headers' time to be the shorter one. */
const BODY: Partial<Limits> = { headersTimeoutMs: 60, requestTimeoutMs: 60 }

async function edgeFor(t: TestContext, limits: Partial<Limits>): Promise<TestEdge> {
  const edge = await startEdge({ ...QUICK, ...limits })
  t.after(() => edge.close(0))
  return edge
}

/** Says the text, then a byte every 10 ms. @returns All that came until the server closed. */
async function drip(socket: Socket, text: string, byte: string): Promise<string> {
  let heard = ""
  socket.setEncoding("latin1").on("data", (chunk) => {
    heard += chunk
  })
  socket.on("error", () => {})
  if (text !== "") socket.write(text, "latin1")
  const timer = byte === "" ? undefined : setInterval(() => socket.write(byte), 10)
  await new Promise((resolve) => {
    socket.once("end", resolve)
    socket.once("close", resolve)
  })
  clearInterval(timer)
  socket.destroy()
  return heard
}

describe("Slow peers", () => {
  for (const [because, text, byte, limits] of [
    ["headers that never end", `${START}X-A: `, "a", { headersTimeoutMs: 60 }],
    ["a body that never ends", `${START}Content-Length: 100000\r\n\r\n`, "a", BODY],
    ["chunks that never end", `${START}Transfer-Encoding: chunked\r\n\r\n`, "1\r\na\r\n", BODY],
  ] as const) {
    for (const scheme of ["http", "https"] as const) {
      it(`${scheme}: ${because}`, async (t) => {
        const edge = await edgeFor(t, limits)
        const secure = scheme === "https"
        const socket = secure
          ? connectTls({ port: edge.httpsPort, ca: CA, servername: HOST })
          : connect(edge.httpPort)
        const [answer, ...more] = parseAnswers(await drip(socket, text, byte), true)
        // On plain HTTP a whole header has had its redirect already.
        const redirected = !secure && text.endsWith("\r\n\r\n")
        assert.equal(answer?.status, redirected ? 308 : 408)
        assert.equal(answer?.headers.has("strict-transport-security"), secure)
        assert.ok(more.length <= (redirected ? 1 : 0))
      })
    }
  }

  it("a handshake that never ends", async (t) => {
    const edge = await edgeFor(t, { handshakeTimeoutMs: 50 })
    // A record of 512 bytes is announced, and comes byte by byte.
    assert.equal(await drip(connect(edge.httpsPort), "\x16\x03\x01\x02\x00", "\x01"), "")
  })

  it("a connection that says nothing", async (t) => {
    const edge = await edgeFor(t, { silenceTimeoutMs: 50, headersTimeoutMs: 10_000 })
    assert.equal(await drip(connect(edge.httpPort), "", ""), "")
  })

  it("a kept connection that stays idle", async (t) => {
    const edge = await edgeFor(t, { keepAliveTimeoutMs: 20 })
    const request = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`
    const heard = await drip(connect(edge.httpPort), request, "")
    assert.deepEqual(
      parseAnswers(heard, true).map(({ status }) => status),
      [308],
    )
  })

  it("too many connections: those beyond are dropped", async (t) => {
    const edge = await edgeFor(t, { maxConnections: 1 })
    const first = connect(edge.httpPort)
    await new Promise((resolve) => first.once("connect", resolve))
    assert.equal(await drip(connect(edge.httpPort), "", ""), "")
    first.destroy()
  })

  for (const scheme of ["http", "https"] as const) {
    it(`${scheme}: too many connections of one host: closed at once, until one of its own ends`, async (t) => {
      const connections = new Connections(2)
      const edge = await startEdge(
        QUICK,
        {},
        {
          enter: (address) => connections.enter(address),
        },
      )
      t.after(() => edge.close(0))
      const port = scheme === "https" ? edge.httpsPort : edge.httpPort
      const open = async (localAddress: string) => {
        const socket = connect({ port, host: "127.0.0.1", localAddress })
        t.after(() => socket.destroy())
        await once(socket, "connect")
        if (scheme === "http") return socket
        const secure = connectTls({ socket, ca: CA, servername: HOST })
        await once(secure, "secureConnect")
        return secure
      }
      const refused = () =>
        scheme === "http"
          ? drip(connect(port), "\x16", "").then((answer) => assert.equal(answer, ""))
          : assert.rejects(open("127.0.0.1"), /disconnected|ECONNRESET/)
      const [first] = [await open("127.0.0.1"), await open("127.0.0.1")]
      await refused()
      await open("127.0.0.2")
      assert.equal(connections.hosts, 2)

      first.destroy()
      let leave: (() => void) | undefined
      while (leave === undefined) {
        await sleep(5)
        leave = connections.enter("127.0.0.1")
      }
      leave()
      await drip(
        await open("127.0.0.1"),
        `GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`,
        "",
      )
    })
  }
})

describe("Peers that are kept waiting before their handshake", () => {
  const REQUEST = `GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`

  for (const scheme of ["http", "https"] as const) {
    const hold = async (t: TestContext, limits: Partial<Limits> = {}) => {
      const held: (() => void)[] = []
      const pace = (_: unknown, begin: () => void) => held.push(begin) > 0
      const edge = await startEdge({ ...QUICK, ...limits }, {}, { pace })
      t.after(() => edge.close(0))
      const socket = connect(scheme === "https" ? edge.httpsPort : edge.httpPort)
      t.after(() => socket.destroy())
      const secure =
        scheme === "https" ? connectTls({ socket, ca: CA, servername: HOST }) : undefined
      const answer = drip(secure ?? socket, REQUEST, "")
      await once(socket, "connect")
      while (held.length === 0) await sleep(5)
      await sleep(20) // what they said has arrived
      return { edge, socket, answer, begin: held[0] ?? (() => {}) }
    }

    it(`${scheme}: are answered what they asked meanwhile`, async (t) => {
      const { answer, begin } = await hold(t)
      begin()
      const [first] = parseAnswers(await answer, true)
      assert.equal(first?.status, scheme === "https" ? 200 : 308)
    })

    for (const way of ["destroy", "resetAndDestroy"] as const) {
      it(`${scheme}: may go away meanwhile (${way})`, async (t) => {
        const { edge, socket, answer, begin } = await hold(t)
        socket[way]()
        await answer
        await sleep(20)
        begin()
        await edge.close(1_000)
        assert.deepEqual(edge.seen, [])
      })
    }

    it(`${scheme}: are cut where the server closes, long before what is under way`, async (t) => {
      const { edge, answer } = await hold(t, { partingMs: 20 })
      await edge.close(60_000)
      assert.equal(await answer, "")
    })

    it(`${scheme}: are dropped where too many wait`, async (t) => {
      const edge = await startEdge(QUICK, {}, { pace: () => false })
      t.after(() => edge.close(0))
      const port = scheme === "https" ? edge.httpsPort : edge.httpPort
      assert.equal(await drip(connect(port), REQUEST, ""), "")
    })
  }
})

describe("Slow peers over HTTP/2", () => {
  /** Resolves when the session is gone. */
  function session(edge: TestEdge) {
    const client = connectHttp2(`https://127.0.0.1:${edge.httpsPort}`, { ca: CA, servername: HOST })
    client.on("error", () => {})
    return { client, gone: new Promise<void>((resolve) => client.once("close", resolve)) }
  }
  const path = { ":path": "/echo", ":method": "POST", ":authority": HOST }

  it("a session without a request, pings or not", async (t) => {
    const edge = await edgeFor(t, { keepAliveTimeoutMs: 60 })
    const { client, gone } = session(edge)
    const pings = setInterval(() => {
      if (!client.destroyed) client.ping(() => {})
    }, 10)
    await gone
    clearInterval(pings)
  })

  it("a session idle after its requests", async (t) => {
    const edge = await edgeFor(t, { keepAliveTimeoutMs: 40 })
    const { client, gone } = session(edge)
    const status = await new Promise((resolve) => {
      const stream = client.request({ ":path": "/slow/80", ":authority": HOST })
      stream.once("response", (headers) => resolve(headers[":status"]))
      stream.resume()
    })
    assert.equal(status, 200, "and not before they are answered")
    await gone
  })

  it("half a header block", async (t) => {
    const edge = await edgeFor(t, { keepAliveTimeoutMs: 60 })
    const socket = connectTls({
      port: edge.httpsPort,
      ca: CA,
      servername: HOST,
      ALPNProtocols: ["h2"],
    })
    const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    const settings = "\0\0\0\x04\0\0\0\0\0"
    // HEADERS of 8 KiB on stream 1: GET, https, /, and a header whose value never ends (RFC 7541).
    const headers = "\0\x20\0\x01\x05\0\0\0\x01\x82\x87\x84\0\x01x\x7f\xc1\x3d"
    await drip(socket, preface + settings + headers, "a")
  })

  it("a body that never ends", async (t) => {
    const edge = await edgeFor(t, BODY)
    const { client } = session(edge)
    const stream = client.request(path)
    stream.on("error", () => {})
    const timer = setInterval(() => stream.write("a"), 10)
    await new Promise((resolve) => stream.once("close", resolve))
    clearInterval(timer)
    assert.equal(stream.rstCode, 8) // CANCEL
    client.destroy()
  })

  it("a stream without a byte, though others on its session flow", async (t) => {
    const edge = await edgeFor(t, { silenceTimeoutMs: 60 })
    const { client } = session(edge)
    const others = setInterval(() => {
      client.request({ ":path": "/", ":authority": HOST }).resume()
    }, 10)
    const stream = client.request({ ":path": "/begun", ":authority": HOST })
    stream.on("error", () => {})
    await new Promise((resolve) => stream.once("close", resolve))
    assert.equal(stream.rstCode, 8) // CANCEL
    clearInterval(others)
    client.destroy()
  })
})

describe("The limits", () => {
  it("leave the longest observation its time before silence is taken for absence", () => {
    assert.ok(LIMITS.silenceTimeoutMs > 120_000)
  })

  it("are what HTTP/2 peers are told", async (t) => {
    const edge = await edgeFor(t, { maxConcurrentStreams: 7 })
    const client = connectHttp2(`https://127.0.0.1:${edge.httpsPort}`, { ca: CA, servername: HOST })
    const settings = await new Promise((resolve) => client.once("remoteSettings", resolve))
    assert.deepEqual(
      Object.entries(Object(settings))
        .filter(([name]) => /^max(Conc|Header)/.test(name))
        .sort(),
      [
        ["maxConcurrentStreams", 7],
        ["maxHeaderListSize", 16_384],
        ["maxHeaderSize", 16_384],
      ],
    )
    client.destroy()
  })
})
