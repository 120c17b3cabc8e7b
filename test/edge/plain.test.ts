/** T3: plain HTTP leads to HTTPS on the configured host, and nowhere else. */
import assert from "node:assert/strict"
import { METHODS } from "node:http"
import { after, before, beforeEach, describe, it } from "node:test"
import { PLAIN_HEADERS } from "../../src/edge/headers.ts"
import { generateKey } from "../../src/keys/format.ts"
import type { Answer, TestEdge } from "./harness.ts"
import { HOST, say, startEdge } from "./harness.ts"

const KEY = generateKey("live")
const TEST_KEY = generateKey("test")
/** Right in form, wrong in checksum. */
const NO_KEY = `${KEY.slice(0, -1)}${KEY.endsWith("0") ? "1" : "0"}`

describe("Plain HTTP", () => {
  let edge: TestEdge
  before(async () => {
    edge = await startEdge({ lingerMs: 20 })
  })
  after(() => edge.close(0))
  beforeEach(() => {
    edge.keysInClear.length = 0
  })

  async function ask(request: string): Promise<Answer> {
    const [answer, ...more] = await say(edge.httpPort, request, {
      tls: false,
      until: 1,
      head: request.startsWith("HEAD "),
    })
    assert.ok(answer)
    assert.deepEqual(more, [])
    assert.equal(answer.headers.has("strict-transport-security"), false, "RFC 6797 §7.2")
    assert.match(answer.headers.get("x-request-id") ?? "", /^req_/)
    for (const [name, value] of Object.entries(PLAIN_HEADERS)) {
      assert.equal(answer.headers.get(name), value)
    }
    return answer
  }

  for (const method of METHODS) {
    if (method === "CONNECT") continue // names no path; refused with 405 (malformed.test.ts)
    it(`${method} is redirected with 308 to the same path and query`, async () => {
      const answer = await ask(`${method} /v1/a%2Fb/?q=1&q=2 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
      assert.equal(answer.status, 308)
      assert.equal(
        answer.headers.get("location"),
        `https://${HOST}:${edge.httpsPort}/v1/a%2Fb/?q=1&q=2`,
      )
    })
    it(`${method} for another host is 421`, async () => {
      const answer = await ask(`${method} / HTTP/1.1\r\nHost: evil.example\r\n\r\n`)
      assert.equal(answer.status, 421)
      assert.equal(answer.headers.has("location"), false)
    })
    it(`${method} with a key is 403`, async () => {
      const answer = await ask(
        `${method} / HTTP/1.1\r\nHost: ${HOST}\r\nAuthorization: Bearer ${KEY}\r\n\r\n`,
      )
      assert.equal(answer.status, 403)
      assert.equal(answer.headers.has("location"), false)
    })
  }

  for (const [target, path] of [
    ["//evil.example/", "//evil.example/"],
    ["///evil.example", "///evil.example"],
    ["/\\evil.example", "/\\evil.example"],
    ["/%0d%0aLocation:%20https://evil.example", "/%0d%0aLocation:%20https://evil.example"],
    ["/@evil.example", "/@evil.example"],
    ["/../../evil.example", "/../../evil.example"],
    [`http://${HOST}`, "/"],
    [`http://${HOST}?q`, "/?q"],
    [`http://${HOST}//evil.example`, "//evil.example"],
    ["http://localhost:1/a", "/a"],
  ] as const) {
    it(`${target} stays on the host`, async () => {
      const answer = await ask(`GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
      assert.equal(answer.headers.get("location"), `https://${HOST}:${edge.httpsPort}${path}`)
      const { hostname } = new URL(answer.headers.get("location") ?? "")
      assert.equal(hostname, HOST)
    })
  }

  for (const target of [
    "http://evil.example/",
    `http://${HOST}@evil.example/`,
    `http://${HOST}.evil.example/`,
    `http://evil.example:80#${HOST}/`,
    `http://evil.example\\${HOST}/`,
    "\\\\evil.example/",
    ".evil.example/",
    "@evil.example/",
    "https:evil.example",
  ]) {
    it(`${target} leads nowhere`, async () => {
      const answer = await ask(`GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
      assert.ok([400, 421].includes(answer.status))
      assert.equal(answer.headers.has("location"), false)
    })
  }

  it("OPTIONS * leads to the host's root", async () => {
    const answer = await ask(`OPTIONS * HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
    assert.equal(answer.headers.get("location"), `https://${HOST}:${edge.httpsPort}/`)
  })

  for (const host of ["localhost", "127.0.0.1:8080", "[::1]", `${HOST.toUpperCase()}:99`]) {
    it(`${host} is ours, and leads to the configured host`, async () => {
      const answer = await ask(`GET /a HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      assert.equal(answer.headers.get("location"), `https://${HOST}:${edge.httpsPort}/a`)
    })
  }

  for (const [where, target, header, keys] of [
    ["Bearer", "/", `Authorization: Bearer ${KEY}`, [KEY]],
    ["bearer in lower case", "/", `authorization: bearer ${KEY}`, [KEY]],
    ["x-api-key", "/", `x-api-key: ${TEST_KEY}`, [TEST_KEY]],
    ["any other header", "/", `Cookie: a=${KEY}`, [KEY]],
    ["the query", `/v1/analyze?key=${KEY}&domain=a.example`, "A: b", [KEY]],
    ["the path", `/v1/${KEY}/x`, "A: b", [KEY]],
    ["the query, percent-encoded", `/?key=${KEY.replaceAll("_", "%5f")}`, "A: b", [KEY]],
    ["the query, wholly percent-encoded", `/?${percent(KEY)}`, "A: b", [KEY]],
    [
      "both key headers",
      "/",
      `Authorization: Bearer ${KEY}\r\nx-api-key: ${TEST_KEY}`,
      [KEY, TEST_KEY],
    ],
    ["twice the same", `/${KEY}`, `x-api-key: ${KEY}`, [KEY]],
    ["a second header of the name", "/", `x-api-key: none\r\nx-api-key: ${KEY}`, [KEY]],
    ["absolute-form", `http://${HOST}/?k=${KEY}`, "A: b", [KEY]],
  ] as const) {
    it(`a key in ${where} is 403 without Location, and reported once`, async () => {
      const answer = await ask(`GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\n${header}\r\n\r\n`)
      assert.equal(answer.status, 403)
      assert.equal(answer.headers.has("location"), false)
      assert.equal(answer.headers.get("cache-control"), "private, no-store")
      assert.equal(JSON.parse(answer.body).error.code, "KEY_SENT_IN_CLEAR")
      assert.equal(answer.body.includes(KEY), false)
      await new Promise(setImmediate)
      assert.deepEqual(edge.keysInClear, keys)
    })
  }

  it("a key is reported for another host too", async () => {
    const answer = await ask(`GET / HTTP/1.1\r\nHost: evil.example\r\nx-api-key: ${KEY}\r\n\r\n`)
    assert.equal(answer.status, 403)
    assert.deepEqual(edge.keysInClear, [KEY])
  })

  for (const text of [
    NO_KEY,
    KEY.slice(0, -1),
    KEY.replace("live", "prod"),
    "zt_live_",
    "Bearer",
  ]) {
    it(`${text.slice(0, 12)}… (${text.length}) is no key, and is redirected`, async () => {
      const answer = await ask(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nx-api-key: ${text}\r\n\r\n`)
      assert.equal(answer.status, 308)
      assert.deepEqual(edge.keysInClear, [])
    })
  }

  it("nothing on plain HTTP reaches the app", () => {
    assert.deepEqual(edge.seen, [])
  })
})

function percent(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16)}`).join("")
}
