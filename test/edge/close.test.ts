/** Stopping: answers under way get out, idle connections end soon, the rest is cut in time. */
import assert from "node:assert/strict"
import { once } from "node:events"
import { connect as connectHttp2 } from "node:http2"
import { connect } from "node:net"
import { describe, it } from "node:test"
import type { TLSSocket } from "node:tls"
import { connect as connectTls } from "node:tls"
import { Problem } from "../../src/core/problem.ts"
import { CA, HOST, parseAnswers, say, startEdge } from "./harness.ts"

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`

function open(port: number): Promise<{ socket: TLSSocket; heard: Promise<string> }> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, ca: CA, servername: HOST })
    socket.once("error", reject)
    socket.once("secureConnect", () => {
      let text = ""
      socket.setEncoding("latin1").on("data", (chunk) => {
        text += chunk
      })
      resolve({ socket, heard: new Promise((done) => socket.once("close", () => done(text))) })
    })
  })
}

/** Until the app has seen so many requests. */
async function seen(edge: { readonly seen: string[] }, count: number): Promise<void> {
  while (edge.seen.length < count) await new Promise(setImmediate)
}

describe("Closing the edge", () => {
  it("lets an answer finish, and ends its connection", async () => {
    const edge = await startEdge()
    const { socket, heard } = await open(edge.httpsPort)
    socket.write(get("/slow/100"))
    await seen(edge, 1)
    await edge.close(5_000)
    assert.deepEqual(
      parseAnswers(await heard, true).map(({ status }) => status),
      [200],
    )
  })

  it("lets an HTTP/2 answer finish, and says GOAWAY", async () => {
    const edge = await startEdge()
    const client = connectHttp2(`https://127.0.0.1:${edge.httpsPort}`, { ca: CA, servername: HOST })
    const goaway = new Promise((resolve) => client.once("goaway", resolve))
    const stream = client.request({ ":path": "/slow/100", ":authority": HOST })
    stream.resume()
    const status = new Promise((resolve) => {
      stream.once("response", (headers) => resolve(headers[":status"]))
    })
    await seen(edge, 1)
    await edge.close(5_000)
    assert.equal(await status, 200)
    assert.equal(await goaway, 0)
  })

  it("answers who sends on an idle connection just then, and says close", async () => {
    const edge = await startEdge()
    const { socket, heard } = await open(edge.httpsPort)
    socket.write(get("/"))
    await seen(edge, 1)
    const closed = edge.close(5_000)
    setTimeout(() => socket.write(get("/status/404")), 50)
    await closed
    const answers = parseAnswers(await heard, true)
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, headers.get("connection")]),
      [
        [200, "keep-alive"],
        [404, "close"],
      ],
    )
  })

  it("refuses a stream that is opened just then, unserved, so that it can be tried elsewhere", async () => {
    const edge = await startEdge()
    const client = connectHttp2(`https://127.0.0.1:${edge.httpsPort}`, { ca: CA, servername: HOST })
    await new Promise((resolve) => client.once("remoteSettings", resolve))
    const closed = edge.close(5_000)
    const stream = client.request({ ":path": "/slow/50", ":authority": HOST })
    await assert.rejects(once(stream.resume(), "response"), /NGHTTP2_REFUSED_STREAM/)
    assert.deepEqual(edge.seen, [])
    await closed
  })

  it("accepts connections while it drains, one answer each", async () => {
    const edge = await startEdge()
    const drained = edge.drain(300)
    const { socket, heard } = await open(edge.httpsPort)
    socket.write(get("/") + get("/status/404"))
    const answers = parseAnswers(await heard, true)
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, headers.get("connection")]),
      [[200, "close"]],
    )
    await drained
    await edge.close(5_000)
  })

  it("says close in the answer under way, and serves nothing after it", async () => {
    const edge = await startEdge()
    const { socket, heard } = await open(edge.httpsPort)
    socket.write(get("/slow/50"))
    await seen(edge, 1)
    const closed = edge.close(5_000)
    socket.write(get("/status/404") + get("/status/410"))
    await closed
    const answers = parseAnswers(await heard, true)
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200],
    )
    assert.equal(answers.at(-1)?.headers.get("connection"), "close")
    assert.equal(edge.seen.length, 1)
  })

  it("does not cut an answer that waits for a slow reader", async () => {
    const edge = await startEdge()
    const { socket, heard } = await open(edge.httpsPort)
    socket.write(get("/large"))
    await seen(edge, 1)
    socket.pause()
    const closed = edge.close(5_000)
    setTimeout(() => socket.resume(), 30)
    await closed
    assert.deepEqual(
      parseAnswers(await heard, true).map(({ body }) => body.length),
      [8_000_000],
    )
  })

  it("ends connections that idle, in whatever state", async () => {
    const edge = await startEdge()
    const { socket, heard } = await open(edge.httpsPort)
    socket.write(get("/"))
    await seen(edge, 1)
    const fresh = await open(edge.httpsPort)
    const plain = connect(edge.httpPort)
    await new Promise((resolve) => plain.once("connect", resolve))
    await edge.close(60_000)
    await Promise.all([heard, fresh.heard])
    plain.destroy()
  })

  it("cuts what takes longer than its grace", async () => {
    const edge = await startEdge()
    const { socket, heard } = await open(edge.httpsPort)
    socket.write(get("/never"))
    const handshaking = connect(edge.httpsPort)
    handshaking.on("error", () => {})
    await seen(edge, 1)
    await edge.close(20)
    assert.equal(await heard, "")
    handshaking.destroy()
  })

  it("accepts nothing afterwards", async () => {
    const edge = await startEdge()
    await edge.close(0)
    for (const [port, tls] of [
      [edge.httpsPort, true],
      [edge.httpPort, false],
    ] as const) {
      await assert.rejects(say(port, get("/"), { tls }), { code: "ECONNREFUSED" })
    }
  })
})

describe("A port that is taken", () => {
  for (const [taken, setting] of [
    ["httpsPort", "ZT_HTTPS_PORT"],
    ["httpPort", "ZT_HTTP_PORT"],
  ] as const) {
    it(`names ${setting}, and leaves nothing listening`, async (t) => {
      const first = await startEdge()
      t.after(() => first.close(0))
      await assert.rejects(startEdge({}, { [taken]: first[taken] }), (problem: unknown) => {
        assert.ok(problem instanceof Problem)
        assert.equal(problem.code, "INVALID_SETTING")
        assert.match(problem.message, new RegExp(`^${setting}: port ${first[taken]} .* is taken`))
        return true
      })
    })
  }
})
