import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { hostJudge } from "./hosts.ts"

describe("Whose host a request names", () => {
  for (const [authority, verdict, because] of [
    ["shop.example", "ours", "the configured host"],
    ["SHOP.Example", "ours", "names have no letter case"],
    ["shop.example:8443", "ours", "with its port"],
    ["shop.example:1", "ours", "with any port: containers and proxies map them"],
    ["shop.example:", "ours", "an empty port is none (RFC 3986 §3.2.3)"],
    ["shop.example.", "ours", "the root's dot"],
    ["localhost", "ours", "a loopback name"],
    ["127.0.0.1:443", "ours", "a loopback address"],
    ["127.8.9.10", "ours", "the whole of 127.0.0.0/8 is loopback"],
    ["[::1]:8443", "ours", "the loopback address of IPv6"],
    ["www.shop.example", "foreign", "a subdomain is another host"],
    ["example", "foreign", "a parent too"],
    ["xshop.example", "foreign", "an end that fits"],
    ["shop.example.evil.example", "foreign", "a beginning that fits"],
    ["shop.example..", "foreign", "two dots"],
    ["localhost.evil.example", "foreign", "a beginning like a loopback name"],
    ["127.0.0.1.evil.example", "foreign", "a beginning like a loopback address"],
    ["[::2]", "foreign", "another address"],
    ["10.0.0.1", "foreign", "a private address is not loopback"],
    ["", "malformed", "no host"],
    [":8443", "malformed", "a port alone"],
    ["user@shop.example", "malformed", "user information (RFC 9110 §4.2.4)"],
    ["shop.example/", "malformed", "a path"],
    ["shop.example, localhost", "malformed", "two hosts"],
    ["shop.example localhost", "malformed", "a space"],
    ["shop.example:port", "malformed", "a port that is no number"],
    ["shop.example:123456", "malformed", "a port beyond 65535"],
    ["[shop.example]", "malformed", "brackets around a name"],
    ["shop.example\n", "malformed", "a line end"],
  ] as const) {
    it(`${JSON.stringify(authority)} is ${verdict}: ${because}`, () => {
      const judge = hostJudge("shop.example")
      assert.equal(judge(authority), verdict)
      assert.equal(judge(authority), verdict, "the second time, too")
    })
  }

  it("judges alike whatever came before", () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom("shop.example", "localhost:1", "evil.example"),
    )
    fc.assert(
      fc.property(fc.array(text), text, (before, authority) => {
        const used = hostJudge("shop.example")
        for (const other of before) used(other)
        assert.equal(used(authority), hostJudge("shop.example")(authority))
      }),
    )
  })

  it("calls only hosts ours that a URL parser reads as such", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
        const authority = `shop.example${text}`
        if (hostJudge("shop.example")(authority) !== "ours") return
        if (!/:\d+$/.test(authority) || Number(authority.split(":")[1]) < 65_536) {
          assert.match(new URL(`https://${authority}`).hostname, /^shop\.example\.?$/)
        }
      }),
    )
  })
})
