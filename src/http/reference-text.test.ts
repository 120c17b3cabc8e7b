import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { inline, prose, signed } from "./reference-text.ts"

describe("prose", () => {
  for (const [text, markup, because] of [
    ["plain", "plain", "nothing to do"],
    ["a `b` c", "a <code>b</code> c", "backticks are code"],
    ["`<b>` & <i>", "<code>&lt;b&gt;</code> &amp; &lt;i&gt;", "markup is text, in code as well"],
  ] as const) {
    it(`${because}: ${text}`, () => assert.equal(String(inline(text)), markup))
  }

  it("makes a paragraph at each empty line, and none at the end of a line", () => {
    assert.equal(String(prose("one\nline\n \ntwo")), "<p>one\nline</p><p>two</p>")
  })

  it("writes points with their sign", () => {
    assert.deepEqual([5, 0, -5].map(signed), ["+5", "0", "−5"])
  })
})
