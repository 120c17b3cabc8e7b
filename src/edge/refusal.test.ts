import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Problem } from "../core/problem.ts"
import { PLAIN_HEADERS, SECURITY_HEADERS } from "./headers.ts"
import { problemJson, rawRefusal, refusalBody, renderRefusal, wantsProblemJson } from "./refusal.ts"

const problem = new Problem("INVALID_DOMAIN", {
  message: "Ein Umlaut: ü",
  details: { domain: "a" },
  cause: new Error("secret"),
})

describe("The contract's error body", () => {
  it("holds code, message, details and request id, never the cause", () => {
    assert.deepEqual(JSON.parse(refusalBody(problem, "req_1")), {
      error: {
        code: "INVALID_DOMAIN",
        message: "Ein Umlaut: ü",
        details: { domain: "a" },
        request_id: "req_1",
      },
    })
  })

  it("has the members of RFC 9457 as problem+json", () => {
    assert.deepEqual(JSON.parse(problemJson(problem, "req_1")), {
      type: "urn:zygentrust:problem:INVALID_DOMAIN",
      title: "Bad Request",
      status: 400,
      detail: "Ein Umlaut: ü",
      code: "INVALID_DOMAIN",
      details: { domain: "a" },
      request_id: "req_1",
    })
  })

  for (const [accept, wants] of [
    [undefined, false],
    ["*/*", false],
    ["application/json", false],
    ["application/problem+json", true],
    ["application/json, application/problem+json;q=0.9", true],
    ["application/json, APPLICATION/Problem+JSON", true],
    ["application/problem+json;q=0", false],
    ["application/problem+json; q=0.0, */*", false],
    ["application/problem+json;q=0.01", true],
  ] as const) {
    it(`Accept: ${accept} ${wants ? "gets" : "does not get"} problem+json`, () => {
      assert.equal(wantsProblemJson(accept), wants)
    })
  }
})

describe("A refusal's answer", () => {
  it("has length in bytes, type, protections, and is not stored", () => {
    const { headers, body } = renderRefusal({ status: 400, problem }, SECURITY_HEADERS)
    assert.deepEqual(headers, {
      ...SECURITY_HEADERS,
      "cache-control": "private, no-store",
      "content-type": "application/json",
      "content-length": String(Buffer.from(body).length),
      "x-request-id": JSON.parse(body).error.request_id,
    })
  })

  it("says when to try again", () => {
    const retry = new Problem("UNAVAILABLE", { retryAfterSeconds: 3 })
    const { headers } = renderRefusal({ status: 503, problem: retry }, PLAIN_HEADERS)
    assert.equal(headers["retry-after"], "3")
  })

  it("names the allowed methods with 405, even none", () => {
    const { headers } = renderRefusal({ status: 405, problem }, PLAIN_HEADERS)
    assert.equal(headers["allow"], "")
  })

  it("as raw bytes is one HTTP/1.1 message that closes", () => {
    const raw = rawRefusal({ status: 431, problem }, PLAIN_HEADERS)
    const [head = "", body] = raw.split("\r\n\r\n")
    const [line, ...headers] = head.split("\r\n")
    assert.equal(line, "HTTP/1.1 431 Request Header Fields Too Large")
    assert.ok(headers.includes("connection: close"))
    assert.ok(headers.every((header) => /^[a-z-]+: \S.*$/.test(header)))
    assert.equal(JSON.parse(body ?? "").error.code, "INVALID_DOMAIN")
  })
})
