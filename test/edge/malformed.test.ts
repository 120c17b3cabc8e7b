/**
 * T2 and RFC 9112: what is refused before the app, by the HTTP parser or by the edge, is answered
 * once, in the contract's form, with the protections of its port, and ends the connection.
 */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import fc from "fast-check"
import { PLAIN_HEADERS, SECURITY_HEADERS } from "../../src/edge/headers.ts"
import type { Answer, TestEdge } from "./harness.ts"
import { HOST, say, startEdge } from "./harness.ts"

const H = `Host: ${HOST}\r\n`
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${H}\r\n`
const long = (length: number) => "a".repeat(length)

const CASES: readonly (readonly [
  because: string,
  request: string,
  status: number,
  code?: string,
])[] = [
  ["no Host in HTTP/1.1 (9112 §3.2)", "GET / HTTP/1.1\r\n\r\n", 400],
  ["two Host headers (9112 §3.2)", `GET / HTTP/1.1\r\n${H}${H}\r\n`, 400],
  ["two different Host headers", `GET / HTTP/1.1\r\n${H}host: evil.example\r\n\r\n`, 400],
  ["an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400],
  ["user information in Host", `GET / HTTP/1.1\r\nHost: x@${HOST}\r\n\r\n`, 400],
  ["a path in Host", `GET / HTTP/1.1\r\nHost: ${HOST}/x\r\n\r\n`, 400],
  ["two hosts in one Host", `GET / HTTP/1.1\r\nHost: ${HOST}, evil.example\r\n\r\n`, 400],
  ["another host", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, "WRONG_HOST"],
  ["a host that ends like ours", `GET / HTTP/1.1\r\nHost: x${HOST}\r\n\r\n`, 421, "WRONG_HOST"],
  ["a host that begins like ours", `GET / HTTP/1.1\r\nHost: ${HOST}.evil.example\r\n\r\n`, 421],
  ["absolute-form of another host", `GET http://evil.example/ HTTP/1.1\r\n${H}\r\n`, 421],
  ["absolute-form of another host, TLS", `GET https://evil.example/ HTTP/1.1\r\n${H}\r\n`, 421],
  ["absolute-form of another scheme", `GET ftp://${HOST}/ HTTP/1.1\r\n${H}\r\n`, 421],
  ["absolute-form with user information", `GET https://x@${HOST}/ HTTP/1.1\r\n${H}\r\n`, 400],
  ["authority-form outside CONNECT", `GET ${HOST}:443 HTTP/1.1\r\n${H}\r\n`, 400],
  ["asterisk-form outside OPTIONS", `GET * HTTP/1.1\r\n${H}\r\n`, 400],
  ["CONNECT", `CONNECT evil.example:443 HTTP/1.1\r\n${H}\r\n`, 405, "METHOD_NOT_ALLOWED"],
  ["a fragment in the target", `GET /a#b HTTP/1.1\r\n${H}\r\n`, 400],
  ["a space in the target", `GET /a b HTTP/1.1\r\n${H}\r\n`, 400],
  ["a tab in the target", `GET /a\tb HTTP/1.1\r\n${H}\r\n`, 400],
  ["a byte above ASCII in the target", `GET /\xe9 HTTP/1.1\r\n${H}\r\n`, 400],
  ["NUL in the target", `GET /a\0b HTTP/1.1\r\n${H}\r\n`, 400],
  ["no target", `GET HTTP/1.1\r\n${H}\r\n`, 400],
  ["a method that is no token", `G@T / HTTP/1.1\r\n${H}\r\n`, 400],
  ["a method in lower case", `get / HTTP/1.1\r\n${H}\r\n`, 400],
  ["an unknown method", `BREW / HTTP/1.1\r\n${H}\r\n`, 400],
  ["the HTTP/2 preface without ALPN", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
  ["HTTP/0.9", `GET / HTTP/0.9\r\n${H}\r\n`, 505],
  ["HTTP/1.2", `GET / HTTP/1.2\r\n${H}\r\n`, 505],
  ["HTTP/2.0 in text", `GET / HTTP/2.0\r\n${H}\r\n`, 505],
  ["HTTP/3.0", `GET / HTTP/3.0\r\n${H}\r\n`, 505],
  ["another protocol", `GET / ICE/1.0\r\n${H}\r\n`, 400],
  ["lower-case protocol", `GET / http/1.1\r\n${H}\r\n`, 400],
  ["space before the colon (9112 §5.1)", `GET / HTTP/1.1\r\n${H}X-A : b\r\n\r\n`, 400],
  ["obs-fold (9112 §5.2)", `GET / HTTP/1.1\r\n${H}X-A: b\r\n c\r\n\r\n`, 400],
  ["a first header that is folded", `GET / HTTP/1.1\r\n X-A: b\r\n${H}\r\n`, 400],
  ["a header without a name", `GET / HTTP/1.1\r\n${H}: b\r\n\r\n`, 400],
  ["a header without a colon", `GET / HTTP/1.1\r\n${H}X-A\r\n\r\n`, 400],
  ["a header name that is no token", `GET / HTTP/1.1\r\n${H}X(A): b\r\n\r\n`, 400],
  ["bare LF after the request line", `GET / HTTP/1.1\n${H}\r\n`, 400],
  ["bare LF after a header", `GET / HTTP/1.1\r\nHost: ${HOST}\nX-A: b\r\n\r\n`, 400],
  ["bare CR in a header", `GET / HTTP/1.1\r\n${H}X-A: b\rc\r\n\r\n`, 400],
  ["NUL in a header", `GET / HTTP/1.1\r\n${H}X-A: b\0c\r\n\r\n`, 400],
  ["a control character in a header", `GET / HTTP/1.1\r\n${H}X-A: b\x01c\r\n\r\n`, 400],
  [
    "two Content-Lengths (9112 §6.3)",
    `POST /echo HTTP/1.1\r\n${H}Content-Length: 0\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n`,
    400,
  ],
  ["Content-Length 0, 5", `POST /echo HTTP/1.1\r\n${H}Content-Length: 0, 5\r\n\r\n`, 400],
  ["a signed Content-Length", `POST /echo HTTP/1.1\r\n${H}Content-Length: +5\r\n\r\nhello`, 400],
  ["a negative Content-Length", `POST /echo HTTP/1.1\r\n${H}Content-Length: -1\r\n\r\n`, 400],
  ["a hexadecimal Content-Length", `POST /echo HTTP/1.1\r\n${H}Content-Length: 0x5\r\n\r\n`, 400],
  ["an empty Content-Length", `POST /echo HTTP/1.1\r\n${H}Content-Length:\r\n\r\n`, 400],
  [
    "an overflowing Content-Length",
    `POST /echo HTTP/1.1\r\n${H}Content-Length: 18446744073709551617\r\n\r\nx`,
    400,
  ],
  [
    "a body beyond the limit",
    `POST /echo HTTP/1.1\r\n${H}Content-Length: 10485761\r\n\r\n`,
    413,
    "TOO_LARGE",
  ],
  [
    "Transfer-Encoding with Content-Length (9112 §6.1)",
    `POST /echo HTTP/1.1\r\n${H}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    "Transfer-Encoding not chunked at the end",
    `POST /echo HTTP/1.1\r\n${H}Transfer-Encoding: chunked, gzip\r\n\r\n`,
    400,
  ],
  [
    "an unknown transfer coding before chunked (9112 §6.1)",
    `POST /echo HTTP/1.1\r\n${H}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    501,
  ],
  [
    "chunked twice",
    `POST /echo HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  ["identity", `POST /echo HTTP/1.1\r\n${H}Transfer-Encoding: identity\r\n\r\n`, 400],
  [
    "Transfer-Encoding in quotes",
    `POST /echo HTTP/1.1\r\n${H}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    "Transfer-Encoding behind a vertical tab",
    `POST /echo HTTP/1.1\r\n${H}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    "Transfer-Encoding in HTTP/1.0 (9112 §6.1)",
    `POST /echo HTTP/1.0\r\n${H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  ["an unknown expectation", `GET / HTTP/1.1\r\n${H}Expect: the-moon\r\n\r\n`, 417],
  ["a long header", `GET / HTTP/1.1\r\n${H}X-A: ${long(17_000)}\r\n\r\n`, 431, "HEADERS_TOO_LARGE"],
  ["a very long header", `GET / HTTP/1.1\r\n${H}X-A: ${long(300_000)}\r\n\r\n`, 431],
  ["a long target", `GET /${long(17_000)} HTTP/1.1\r\n${H}\r\n`, 431, "HEADERS_TOO_LARGE"],
  ["many headers", `GET / HTTP/1.1\r\n${H}${"X: y\r\n".repeat(100)}\r\n`, 431, "HEADERS_TOO_LARGE"],
  ["nothing but noise", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400],
]

/** The same on a chunked body, which the app may already be reading. */
const CHUNKED = `POST /echo HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n`
const BODY_CASES: typeof CASES = [
  ["a chunk size that is no number", `${CHUNKED}xyz\r\nabc\r\n0\r\n\r\n`, 400],
  ["a signed chunk size", `${CHUNKED}+3\r\nabc\r\n0\r\n\r\n`, 400],
  ["a chunk size with 0x", `${CHUNKED}0x3\r\nabc\r\n0\r\n\r\n`, 400],
  ["an overflowing chunk size", `${CHUNKED}10000000000000003\r\nabc\r\n0\r\n\r\n`, 400],
  ["a chunk longer than its size", `${CHUNKED}3\r\nabcd\r\n0\r\n\r\n`, 400],
  ["bare LF after a chunk size", `${CHUNKED}3\nabc\r\n0\r\n\r\n`, 400],
  ["bare LF after a chunk", `${CHUNKED}3\r\nabc\n0\r\n\r\n`, 400],
  ["bare CR in a chunk extension", `${CHUNKED}3;a\rb\r\nabc\r\n0\r\n\r\n`, 400],
  ["long chunk extensions", `${CHUNKED}3;${long(20_000)}\r\nabc\r\n0\r\n\r\n`, 413, "TOO_LARGE"],
]

function assertRefusal(answer: Answer, status: number, code: string | undefined): void {
  assert.equal(answer.status, status)
  const { error } = JSON.parse(answer.body) as { error: Record<string, unknown> }
  assert.deepEqual(Object.keys(error), ["code", "message", "details", "request_id"])
  if (code !== undefined) assert.equal(error["code"], code)
  assert.match(String(error["request_id"]), /^req_[0-9a-z]{26}$/)
  assert.equal(answer.headers.get("x-request-id"), error["request_id"])
  assert.equal(answer.headers.get("content-type"), "application/json")
  assert.equal(answer.headers.get("cache-control"), "private, no-store")
  assert.equal(answer.headers.get("connection"), "close")
  assert.ok(answer.headers.has("date"), "RFC 9110 §6.6.1")
}

describe("Malformed requests", () => {
  let edge: TestEdge
  before(async () => {
    edge = await startEdge({ lingerMs: 50 })
  })
  after(() => edge.close(0))

  for (const [because, request, status, code] of [...CASES, ...BODY_CASES]) {
    it(`HTTPS ${status}: ${because}`, async () => {
      edge.seen.length = 0
      const answers = await say(edge.httpsPort, request + SMUGGLED)
      assert.equal(answers.length, 1, "one answer, and none for what came behind")
      for (const answer of answers) {
        assertRefusal(answer, status, code)
        for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
          assert.equal(answer.headers.get(name), value)
        }
      }
      assert.deepEqual(
        edge.seen.filter((line) => line.includes("smuggled")),
        [],
      )
    })
  }

  for (const [because, request, status, code] of CASES) {
    it(`plain HTTP ${status}: ${because}`, async () => {
      const answers = await say(edge.httpPort, request + SMUGGLED, { tls: false })
      assert.equal(answers.length, 1)
      for (const answer of answers) {
        assertRefusal(answer, status, code)
        assert.equal(answer.headers.has("location"), false)
        assert.equal(answer.headers.has("strict-transport-security"), false, "RFC 6797 §7.2")
        for (const [name, value] of Object.entries(PLAIN_HEADERS)) {
          assert.equal(answer.headers.get(name), value)
        }
      }
    })
  }

  it("a refusal of HEAD has no body", async () => {
    const request = "HEAD / HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    const [answer, ...more] = await say(edge.httpsPort, request, { head: true })
    assert.equal(answer?.status, 421)
    assert.deepEqual(more, [])
  })

  it("problem+json for who asks for it (RFC 9457)", async () => {
    const [answer] = await say(
      edge.httpsPort,
      "GET / HTTP/1.1\r\nHost: evil.example\r\nAccept: application/problem+json\r\n\r\n",
    )
    assert.equal(answer?.headers.get("content-type"), "application/problem+json")
    const problem = JSON.parse(answer?.body ?? "") as Record<string, unknown>
    assert.deepEqual([problem["status"], problem["code"]], [421, "WRONG_HOST"])
  })
})

describe("Any bytes at all", () => {
  const requests = fc
    .array(
      fc.constantFrom(
        ...["GET ", "POST ", "/", "/echo", "*", `https://${HOST}/`, " HTTP/1.1", " HTTP/1.0"],
        ...["\r\n", "\n", "\r", "\r\n\r\n", H, "Host:", ":", " ", "\t", "\0", "\xff", ",", "a"],
        ...[
          "Content-Length: 5\r\n",
          "Transfer-Encoding: chunked\r\n",
          "chunked",
          "Expect: 100-continue",
        ],
        ...[
          "5\r\nhello\r\n",
          "0\r\n\r\n",
          "Connection: close\r\n",
          "Upgrade: h2c\r\n",
          "CONNECT a:1",
        ],
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(""))
  const beginnings = fc.constantFrom("", `GET / HTTP/1.1\r\n${H}`, `POST /echo HTTP/1.1\r\n${H}`)

  it("get whole answers with HSTS, or none", async (t) => {
    const edge = await startEdge({ lingerMs: 20 })
    t.after(() => edge.close(0))
    await fc.assert(
      fc.asyncProperty(beginnings, requests, async (beginning, request) => {
        const answers = await say(edge.httpsPort, beginning + request, { end: true })
        for (const { status, headers } of answers) {
          assert.ok(status === 100 || headers.has("strict-transport-security"))
        }
        const closed = answers.findIndex(({ headers }) => headers.get("connection") === "close")
        assert.ok(closed === -1 || closed === answers.length - 1, "nothing follows the last answer")
      }),
      { numRuns: 200 },
    )
  })
})

describe("Unusual requests that are fine", () => {
  let edge: TestEdge
  before(async () => {
    edge = await startEdge()
  })
  after(() => edge.close(0))

  for (const [because, request, seen] of [
    ["no Host in HTTP/1.0 means ours", "GET /a HTTP/1.0\r\n\r\n", "GET /a undefined"],
    [
      "an empty line before the request (9112 §2.2)",
      `\r\n\r\nGET /a HTTP/1.1\r\n${H}\r\n`,
      `GET /a ${HOST}`,
    ],
    ["letter case of Host", `GET /a HTTP/1.1\r\nHOST: ${HOST.toUpperCase()}:1\r\n\r\n`, undefined],
    ["the root's dot", `GET /a HTTP/1.1\r\nHost: ${HOST}.\r\n\r\n`, undefined],
    ["localhost", "GET /a HTTP/1.1\r\nHost: localhost:8443\r\n\r\n", undefined],
    ["a loopback address", "GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", undefined],
    ["the loopback address of IPv6", "GET /a HTTP/1.1\r\nHost: [::1]:9\r\n\r\n", undefined],
    [
      "absolute-form, whose host counts and not the header's (9112 §3.2.2)",
      `GET https://${HOST}/a?b HTTP/1.1\r\nHost: evil.example\r\n\r\n`,
      `GET /a?b ${HOST}`,
    ],
    [
      "absolute-form without a path",
      `GET https://${HOST}?b HTTP/1.1\r\n${H}\r\n`,
      `GET /?b ${HOST}`,
    ],
    ["OPTIONS *", `OPTIONS * HTTP/1.1\r\n${H}\r\n`, `OPTIONS * ${HOST}`],
    [
      "an upgrade is ignored",
      `GET /a HTTP/1.1\r\n${H}Connection: upgrade\r\nUpgrade: h2c\r\n\r\n`,
      `GET /a ${HOST}`,
    ],
    ["bad percent-encoding is the app's", `GET /%zz HTTP/1.1\r\n${H}\r\n`, `GET /%zz ${HOST}`],
    ["two slashes", `GET //evil.example/a HTTP/1.1\r\n${H}\r\n`, `GET //evil.example/a ${HOST}`],
  ] as const) {
    it(because, async () => {
      edge.seen.length = 0
      const [answer] = await say(edge.httpsPort, request, { until: 1 })
      assert.equal(answer?.status, 200)
      if (seen !== undefined) assert.deepEqual(edge.seen, [seen])
    })
  }

  it("100-continue is answered, then the request", async () => {
    const answers = await say(
      edge.httpsPort,
      `POST /echo HTTP/1.1\r\n${H}Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello`,
      { until: 2 },
    )
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body]),
      [
        [100, ""],
        [200, "hello"],
      ],
    )
  })

  it("100-continue does not ask for a body that is refused", async () => {
    const answers = await say(
      edge.httpsPort,
      `POST /echo HTTP/1.1\r\n${H}Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n`,
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      [413],
    )
  })
})
