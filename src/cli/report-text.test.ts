import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { fit, plain, width, wrap } from "./report-text.ts"

describe("a stranger's text made harmless", () => {
  for (const [text, expected, because] of [
    ["\u001b[31mred\u001b[0m", "red", "colours are the report's own"],
    ["\u001b]0;title\u0007x", "x", "an OSC sequence would rename the window"],
    ["\u001b]8;;http://evil.test/\u001b\\bank\u001b]8;;\u001b\\", "bank", "a hidden link target"],
    ["a\u001b[2Jb", "ab", "clearing the screen"],
    ["a\rb\nc\td\u0000e\u007ff\u0085g", "a b c d e f g", "control characters, C1 ones too"],
    ["a\u2028b\u2029c", "a b c", "line and paragraph separators"],
    ["\u202egpj.exe", "gpj.exe", "a right-to-left override reverses what follows"],
    ["a\u2066b\u2069c\u200ed\u200be\ufefff\u00adg", "abcdefg", "isolates, marks, invisible ones"],
    ["a\u{e0041}b", "ab", "tag characters hide text"],
    ["e\u0301\u0301\u0301\u0301", "e\u0301\u0301", "a tower of accents covers other lines"],
    ["a\ud800b", "a\ufffdb", "half a surrogate pair is no character"],
    ["a\ue000b", "a\ufffdb", "private use looks like anything"],
    ["Größe ok 東京", "Größe ok 東京", "what is harmless stays"],
  ] as const) {
    it(because, () => assert.equal(plain(text), expected))
  }

  it("keeps lines only when asked to", () => {
    assert.equal(plain("a\nb\u001b[1m", { keepLines: true }), "a\nb")
  })

  it("never lets a control, format or surrogate character through", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.doesNotMatch(plain(text), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      }),
    )
  })
})

describe("width in columns", () => {
  for (const [text, columns, because] of [
    ["abc", 3, "a column a letter"],
    ["東京", 4, "ideographs are wide"],
    ["한글", 4, "Hangul syllables are wide"],
    ["Ａ", 2, "fullwidth forms are wide"],
    ["e\u0301", 1, "a combining accent takes none"],
    ["👍🏽", 2, "an emoji with its skin tone is one"],
    ["🇨🇭", 2, "so is a flag"],
    ["━█·−", 4, "what the report draws with is narrow"],
    ["", 0, "nothing takes nothing"],
  ] as const) {
    it(`${because}: ${JSON.stringify(text)}`, () => assert.equal(width(text), columns))
  }
})

describe("wrapping", () => {
  for (const [text, columns, lines, because] of [
    ["one two three", 7, ["one two", "three"], "breaks at spaces"],
    ["  a   b ", 5, ["a b"], "folds what is between words"],
    ["abcdefgh ij", 3, ["abc", "def", "gh", "ij"], "cuts a word without room of its own"],
    ["東京都", 4, ["東京", "都"], "counts wide characters as two"],
    ["", 5, [], "nothing is no line"],
  ] as const) {
    it(because, () => assert.deepEqual(wrap(text, columns), lines))
  }

  it("loses no character and makes no line too wide", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 2, max: 40 }), (raw, max) => {
        const text = plain(raw)
        const lines = wrap(text, max)
        assert.equal(lines.join("").replaceAll(" ", ""), text.replaceAll(" ", ""))
        for (const line of lines) assert.ok(width(line) <= max, line)
      }),
    )
  })

  it("fits text to a width exactly", () => {
    assert.equal(fit("ab", 4), "ab  ")
    assert.equal(fit("abcdef", 4), "abc…")
    assert.equal(fit("東京都", 4), "東… ")
  })
})
