import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import type { DnsAnswer, Known } from "../types.ts"
import { countSpfLookups, readTerms, spfRecord } from "./spf.ts"

const answerOf = (...texts: string[]): DnsAnswer => ({
  rcode: "NOERROR",
  records: texts.map((data) => ({ data, ttl: 60 })),
})

function count(zone: Readonly<Record<string, string>>) {
  const asked: string[] = []
  const lookup = async (name: string): Promise<Known<DnsAnswer>> => {
    asked.push(name)
    assert.ok(asked.length <= 100, "bounded")
    const text = zone[name]
    return { value: answerOf(...(text === undefined ? [] : [text])) }
  }
  const own = zone["shop.example"]
  const txt = { value: answerOf(...(own === undefined ? [] : [own])) }
  return countSpfLookups(txt, lookup)
}

describe("SPF look-ups (RFC 7208 §4.6.4)", () => {
  const tree = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [
      `n${i}.example`,
      `v=spf1 include:n${2 * i + 1}.example include:n${2 * i + 2}.example -all`,
    ]),
  )
  for (const [zone, lookups, because] of [
    [{}, 0, "no record"],
    [
      { "shop.example": "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all" },
      0,
      "addresses cost none",
    ],
    [{ "shop.example": "v=spf1 a mx ptr exists:%{i}.x.example -all" }, 4, "one each"],
    [
      { "shop.example": "v=spf1 +a:other.example/24 ?mx/24//64 ~all" },
      2,
      "qualifiers and prefixes",
    ],
    [{ "shop.example": "V=SPF1 A MX -ALL" }, 2, "letter case"],
    [{ "shop.example": "v=spf1 -all a mx" }, 0, "nothing after all is reached"],
    [{ "shop.example": "v=spf1 redirect=b.example -all" }, 0, "all voids redirect (§6.1)"],
    [
      { "shop.example": "v=spf1 include:a.example -all", "a.example": "v=spf1 a mx -all" },
      3,
      "nested",
    ],
    [{ "shop.example": "v=spf1 redirect=b.example", "b.example": "v=spf1 a -all" }, 2, "redirect"],
    [{ "shop.example": "v=spf1 include:gone.example -all" }, 1, "a void include"],
    [{ "shop.example": "v=spf1 include:%{d}.x.example -all" }, 1, "a macro cannot be followed"],
    [{ "shop.example": "v=spf1 include:shop.example -all" }, 20, "a loop has no end"],
    [{ "shop.example": "v=spf1 include:n0.example -all", ...tree }, 20, "a tree: counting stops"],
  ] as const) {
    it(`${because}: ${lookups}`, async () => {
      assert.deepEqual(await count(zone), { value: lookups })
    })
  }

  it("two records are none (§4.5)", () => {
    assert.equal(spfRecord(answerOf("v=spf1 a -all", "v=spf1 mx -all")), undefined)
    assert.equal(spfRecord(answerOf("v=spf10 a", "v=spf1 mx -all")), "v=spf1 mx -all")
  })

  it("is unknown when a nested record is", async () => {
    const txt = { value: answerOf("v=spf1 include:a.example -all") }
    const found = await countSpfLookups(txt, async () => ({ unknown: "servfail" }))
    assert.deepEqual(found, { unknown: "servfail" })
  })

  it("reads any record without throwing", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { queries, targets } = readTerms(`v=spf1 ${text}`)
        assert.ok(targets.length <= queries)
      }),
    )
  })
})
