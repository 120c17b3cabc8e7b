import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { list, network } from "./setting-values.ts"

describe("a list of addresses and networks", () => {
  const read = (text: string) => list(network).safeParse(text)
  it("has each with its prefix", () => {
    assert.deepEqual(read("10.0.0.0/8, 192.0.2.7,2001:db8::/32,::1 ,").data, [
      { address: "10.0.0.0", prefix: 8, family: "ipv4" },
      { address: "192.0.2.7", prefix: 32, family: "ipv4" },
      { address: "2001:db8::", prefix: 32, family: "ipv6" },
      { address: "::1", prefix: 128, family: "ipv6" },
    ])
    assert.deepEqual(read("").data, [])
  })
  for (const text of [
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0",
    "::1/129",
    "any",
    "/8",
  ]) {
    it(`is not ${text}`, () => assert.equal(read(text).success, false))
  }
})
