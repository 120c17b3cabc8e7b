import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Known } from "../types.ts"
import { pageOf, textFileOf } from "./content.ts"
import type { Fetched } from "./fetch.ts"

function fetched(
  status: number,
  headers: Fetched["exchange"]["headers"] = {},
  body: Fetched["body"] = { value: Buffer.from("<title>Hello</title>") },
): Known<Fetched> {
  return {
    value: { exchange: { url: "https://a.example/", status, headers }, body, authentic: true },
  }
}

describe("what a GET ended with", () => {
  for (const [answer, why, because] of [
    [fetched(401), "challenge", "a password"],
    [fetched(403), "challenge", "not for robots"],
    [fetched(429), "challenge", "too many questions"],
    [fetched(503, { "cf-mitigated": ["challenge"] }), "challenge", "said by a header"],
    [fetched(503), "server_error", "a server in trouble"],
    [fetched(200, {}, { unknown: "too_large" }), "too_large", "the body's reason"],
    [{ unknown: "refused" }, "refused", "no answer"],
  ] as const) {
    it(`is unknown, ${why}: ${because}`, () => {
      assert.deepEqual(pageOf(answer), { unknown: why })
      assert.deepEqual(textFileOf(answer), { unknown: why })
    })
  }

  for (const status of [200, 404, 410]) {
    it(`is a page with status ${status}`, () => {
      const page = pageOf(fetched(status))
      assert.ok("value" in page)
      assert.deepEqual([page.value.status, page.value.title], [status, "Hello"])
    })
  }

  it("is a text file, cut at 64 KiB", () => {
    const type = { "content-type": ["text/plain; charset=latin1"] }
    const file = textFileOf(fetched(200, type, { value: Buffer.alloc(100_000, 0xfc) }))
    assert.ok("value" in file)
    assert.equal(file.value.text, "ü".repeat(65_536))
    assert.equal(file.value.contentType, "text/plain; charset=latin1")
  })
})
