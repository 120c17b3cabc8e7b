import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { found, plainText, unknown, whenKnown } from "./finding.ts"

describe("finding", () => {
  it("leaves seen out where nothing was", () => {
    assert.deepEqual(found(true), { state: true })
    assert.deepEqual(found(false, " \u0000 "), { state: false })
  })

  it("passes the reason of an unknown fact on, and judges a known one", () => {
    const judge = (value: string) => found(true, value)
    assert.deepEqual(whenKnown({ unknown: "timeout" }, judge), unknown("timeout"))
    assert.deepEqual(whenKnown({ value: "x" }, judge), { state: true, seen: "x" })
  })

  it("makes any text plain, short and well-formed", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 600 }), (text) => {
        const plain = plainText(text)
        assert.ok(plain.length <= 120)
        assert.ok(plain.isWellFormed())
        assert.doesNotMatch(plain, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      }),
      { numRuns: 500 },
    )
  })

  it("cuts before an emoji, not through it", () => {
    assert.equal(plainText(`${"a".repeat(118)}😀😀`), `${"a".repeat(118)}…`)
  })
})
