import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { editDistance } from "../../core/edit-distance.ts"
import { BRANDS } from "../lists/brands.ts"
import { brandLike, skeleton, slipOf } from "./brand.ts"

describe("skeleton", () => {
  for (const [label, like, because] of [
    ["раураӏ", "paypal", "Cyrillic throughout"],
    ["pаypal", "paypal", "one Cyrillic letter"],
    ["paypa1", "paypal", "a digit for a letter"],
    ["g00gle", "google", "two digits"],
    ["rnicrosoft", "microsoft", "two letters for one"],
    ["ɡoogle", "google", "the Latin script g"],
    ["gοοgle", "google", "Greek omicron"],
    ["páypàl", "paypal", "accents"],
    ["PayPaI", "paypal", "a capital I for an l"],
  ] as const) {
    it(`${because}: ${label} looks like ${like}`, () => {
      assert.equal(skeleton(label), skeleton(like))
      assert.equal(brandLike(label)?.label, like)
    })
  }

  it("keeps brands apart", () => {
    assert.equal(
      new Set(BRANDS.entries.map(({ label }) => skeleton(label))).size,
      BRANDS.entries.length,
    )
  })

  it("of a skeleton is the same", () => {
    fc.assert(
      fc.property(fc.domain(), (label) => assert.equal(skeleton(skeleton(label)), skeleton(label))),
    )
  })
})

describe("slipOf", () => {
  for (const [label, brand, because] of [
    ["paypol", "paypal", "a letter changed"],
    ["gmial", "gmail", "a swap in five letters"],
    ["gmall", undefined, "another change in five letters has honest neighbours"],
    ["microsfot", "microsoft", "a swap"],
    ["wellsfagro", "wellsfargo", "a swap in ten letters"],
    ["bankofameirka", "bankofamerica", "two slips in a long label"],
    ["netflix", undefined, "the brand itself"],
    ["finance", undefined, "an honest neighbour of binance"],
    ["chased", undefined, "the brand is an ordinary word"],
    ["pcloud", undefined, "another first letter than icloud"],
    ["apypal", "paypal", "the first two letters swapped"],
    ["targat", undefined, "so it is for longer ones"],
    ["bakery", undefined, "no brand near"],
  ] as const) {
    it(`${because}: ${label}`, () => assert.equal(slipOf(label)?.label, brand))
  }

  it("finds whatever the distance finds", () => {
    const brands = BRANDS.entries.filter(({ label, word }) => !word && label.length >= 6)
    fc.assert(
      fc.property(
        fc.constantFrom(...brands),
        fc.nat(20),
        fc.constantFrom(..."aeqz"),
        ({ label }, at, letter) => {
          const i = at % label.length
          const slipped = label.slice(0, i) + letter + label.slice(i + 1)
          const near = brands.some(
            (brand) => slipped[0] === brand.label[0] && editDistance(slipped, brand.label) === 1,
          )
          if (near) assert.ok(slipOf(slipped) !== undefined, slipped)
        },
      ),
    )
  })
})
