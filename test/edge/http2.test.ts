/** HTTP/2: the same protections, refusals and host rules as HTTP/1 (RFC 9113). */
import assert from "node:assert/strict"
import type { ClientHttp2Session, OutgoingHttpHeaders } from "node:http2"
import { connect } from "node:http2"
import { after, before, beforeEach, describe, it } from "node:test"
import { SECURITY_HEADERS } from "../../src/edge/headers.ts"
import type { TestEdge } from "./harness.ts"
import { CA, HOST, startEdge } from "./harness.ts"

describe("HTTP/2", () => {
  let edge: TestEdge
  let client: ClientHttp2Session
  before(async () => {
    edge = await startEdge()
    client = connect(`https://127.0.0.1:${edge.httpsPort}`, { ca: CA, servername: HOST })
  })
  after(async () => {
    client.destroy()
    await edge.close(0)
  })
  beforeEach(() => {
    edge.seen.length = 0
  })

  /** @param body - undefined leaves the request open, until its answer is in. */
  async function ask(headers: OutgoingHttpHeaders, body?: string) {
    const stream = client.request({ ":authority": HOST, ...headers }, { endStream: body === "" })
    if (body !== undefined && body !== "") stream.end(body)
    const response = new Promise<OutgoingHttpHeaders>((resolve, reject) => {
      stream.once("response", resolve)
      stream.once("error", reject)
      stream.once("close", () => reject(new Error(`reset ${stream.rstCode}`)))
    })
    let text = ""
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk
    })
    const ended = new Promise((resolve) => stream.once("end", resolve))
    const answered = await response
    await ended
    stream.close()
    return { headers: answered, body: text }
  }

  for (const [because, headers, status] of [
    ["200", { ":path": "/" }, 200],
    ["301", { ":path": "/status/301" }, 301],
    ["404", { ":path": "/status/404" }, 404],
    ["500", { ":path": "/status/500" }, 500],
    ["a loopback name", { ":path": "/", ":authority": "localhost:8443" }, 200],
    ["another host", { ":path": "/", ":authority": "evil.example" }, 421],
    ["no :authority, but Host", { ":path": "/", ":authority": undefined, host: HOST }, 200],
    [
      "no :authority, and another Host",
      { ":path": "/", ":authority": undefined, host: "evil.example" },
      421,
    ],
    ["a Host that differs (9113 §8.3.1)", { ":path": "/", host: "evil.example" }, 400],
    ["a port that is none", { ":path": "/", ":authority": `${HOST}:999999` }, 400],
    ["another scheme", { ":path": "/", ":scheme": "http" }, 421],
    ["a fragment", { ":path": "/a#b" }, 400],
    ["an unknown expectation", { ":path": "/", expect: "the-moon" }, 417],
    ["a large body", { ":path": "/", ":method": "POST", "content-length": "10485761" }, 413],
  ] as const) {
    it(`${status} with every protection: ${because}`, async () => {
      const answer = await ask(headers, status === 413 ? undefined : "")
      assert.equal(answer.headers[":status"], status)
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
        assert.equal(answer.headers[name], value)
      }
      if (status < 400 || headers[":path"].startsWith("/status")) return
      assert.equal(answer.headers["content-type"], "application/json")
      const { error } = JSON.parse(answer.body) as { error: { request_id: string } }
      assert.equal(answer.headers["x-request-id"], error.request_id)
      assert.equal(answer.headers["connection"], undefined)
      assert.deepEqual(edge.seen, [])
    })
  }

  it("a refusal of HEAD has no body", async () => {
    const answer = await ask({ ":method": "HEAD", ":path": "/", ":authority": "evil.example" }, "")
    assert.deepEqual([answer.headers[":status"], answer.body], [421, ""])
  })

  it("CONNECT is refused", async () => {
    const answer = await ask({ ":method": "CONNECT", ":authority": "evil.example:443" }, "")
    assert.equal(answer.headers[":status"], 405)
    assert.equal(
      answer.headers["strict-transport-security"],
      SECURITY_HEADERS["strict-transport-security"],
    )
  })

  it("100-continue is answered, then the request", async () => {
    const headers = { ":path": "/echo", ":method": "POST", expect: "100-continue" }
    assert.equal((await ask(headers, "hello")).body, "hello")
  })

  it("many requests at once are answered", async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => ask({ ":path": `/status/${200 + (i % 3)}` }, "")),
    )
    assert.deepEqual(
      answers.map(({ headers }) => headers[":status"]),
      answers.map((_, i) => 200 + (i % 3)),
    )
  })

  it("too many headers never reach the app", async () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`x-${i}`, "y"]))
    await assert.rejects(ask({ ":path": "/", ...many }, ""))
    assert.deepEqual(edge.seen, [])
  })

  it("long headers never reach the app", async () => {
    await assert.rejects(ask({ ":path": "/", "x-a": "a".repeat(20_000) }, ""))
    assert.deepEqual(edge.seen, [])
  })

  it("rapid resets end the connection (CVE-2023-44487)", async () => {
    const attacker = connect(`https://127.0.0.1:${edge.httpsPort}`, { ca: CA, servername: HOST })
    attacker.on("error", () => {})
    const gone = new Promise<void>((resolve) => attacker.once("close", resolve))
    let sent = 0
    while (!attacker.destroyed && sent < 20_000) {
      for (let i = 0; i < 100 && !attacker.destroyed && !attacker.closed; i++, sent++) {
        const stream = attacker.request({ ":path": "/slow/1000", ":authority": HOST })
        stream.on("error", () => {})
        stream.close(8)
      }
      await new Promise(setImmediate)
      if (attacker.closed) break
    }
    attacker.destroy()
    await gone
    assert.ok(sent < 20_000, `${sent} streams were opened and reset`)
  })
})
