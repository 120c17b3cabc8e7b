import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { keptHeaders, withoutCookieValue } from "./headers.ts"

describe("kept headers", () => {
  it("are those that rules read", () => {
    const kept = keptHeaders({ "x-frame-options": ["DENY"], "x-secret": ["1"], etag: ['"a"'] })
    assert.deepEqual(kept, { "x-frame-options": ["DENY"] })
  })

  it("are bounded in number and length", () => {
    const kept = keptHeaders({ "set-cookie": Array(50).fill("a=b"), server: ["x".repeat(9000)] })
    assert.equal(kept["set-cookie"]?.length, 20)
    assert.equal(kept["server"]?.[0]?.length, 4096)
  })

  for (const [bytes, location, because] of [
    [Buffer.from("https://straße.example/ü"), "https://straße.example/ü", "UTF-8"],
    [Buffer.from("/ü", "latin1"), "/ü", "bytes that are no UTF-8 are Latin-1"],
    [Buffer.from(`/${"😀".repeat(2048)}`), `/${"😀".repeat(2047)}`, "cut between characters"],
  ] as const) {
    it(`read a Location as it was meant: ${because}`, () => {
      // Node hands over every byte as the Latin-1 character of that number.
      const kept = keptHeaders({ location: [bytes.toString("latin1")] })
      assert.deepEqual(kept, { location: [location] })
    })
  }

  for (const [cookie, kept, because] of [
    ["sid=secret; Path=/; Secure", "sid=; Path=/; Secure", "the value goes"],
    ["sid=a=b;HttpOnly", "sid=; HttpOnly", "a value with an equals sign"],
    ["secret", "=", "without a name all of it is value (RFC 6265bis §5.6)"],
    ["secret; Secure", "=; Secure", "the same with attributes"],
  ] as const) {
    it(`${because}: ${cookie}`, () => assert.equal(withoutCookieValue(cookie), kept))
  }

  it("hold no cookie's value", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,8}$/), fc.uuid(), (name, value) => {
        assert.ok(!withoutCookieValue(`${name}=${value}; Path=/`).includes(value))
        assert.ok(!withoutCookieValue(value).includes(value))
      }),
    )
  })
})
