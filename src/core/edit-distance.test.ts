import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { editDistance } from "./edit-distance.ts"

describe("edit distance", () => {
  for (const [from, to, slips, because] of [
    ["paypal", "paypal", 0, "the same"],
    ["papal", "paypal", 1, "a letter left out"],
    ["payppal", "paypal", 1, "a letter added"],
    ["paypol", "paypal", 1, "a letter changed"],
    ["pyapal", "paypal", 1, "neighbours swapped"],
    ["ca", "abc", 3, "a swapped pair is not edited again (optimal string alignment)"],
    ["kitten", "sitting", 3, "the textbooks' own"],
    ["", "abc", 3, "nothing"],
    ["", "", 0, "nothing twice"],
  ] as const) {
    it(`${because}: ${from} to ${to} is ${slips}`, () => {
      assert.equal(editDistance(from, to), slips)
    })
  }

  it("is the same both ways, and no longer than the longer text", () => {
    const text = fc.string({ unit: fc.constantFrom(..."abc"), maxLength: 8 })
    fc.assert(
      fc.property(text, text, (a, b) => {
        const slips = editDistance(a, b)
        assert.equal(editDistance(b, a), slips)
        assert.ok(slips <= Math.max(a.length, b.length))
        assert.equal(slips === 0, a === b)
      }),
    )
  })
})
