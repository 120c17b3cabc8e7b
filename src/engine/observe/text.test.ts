import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { cut, plainText, rfc3339 } from "./text.ts"

describe("a stranger's text", () => {
  for (const [text, plain, because] of [
    ["  a \t\r\n b  ", "a b", "space is folded and trimmed"],
    ["a\u0000b\u001b[3m\u0085d", "a b [3m d", "no control character is left"],
    ["a\u2028b", "a b", "nor a line separator"],
    ["\ud800a", "\ufffda", "nor a lone surrogate"],
    ["12345678901", "1234567890", "it is cut"],
    ["123456789😀", "123456789", "but not within a character"],
  ] as const) {
    it(`${because}: ${JSON.stringify(text)}`, () => assert.equal(plainText(text, 10), plain))
  }

  it("is well-formed however it is cut", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(20), (text, max) => {
        assert.ok(cut(text, max).isWellFormed() && cut(text, max).length <= max)
      }),
    )
  })
})

describe("rfc3339", () => {
  for (const [date, text] of [
    [new Date(0), "1970-01-01T00:00:00.000Z"],
    [new Date(Number.NaN), undefined],
    [new Date("+010000-01-01T00:00:00Z"), undefined],
    [new Date("-000001-01-01T00:00:00Z"), undefined],
  ] as const) {
    it(`gives ${text}`, () => assert.equal(rfc3339(date), text))
  }
})
