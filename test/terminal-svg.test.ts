import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { terminalSvg } from "./terminal-svg.ts"

const svg = (output: string) => terminalSvg(output, "a title", 40)

describe("a terminal's output as SVG", () => {
  for (const [output, expected, because] of [
    ["plain", />plain<\/text>/, "text is text"],
    ['<b>&"', />&lt;b&gt;&amp;&quot;<\/text>/, "what markup would take is escaped"],
    ["\u001b[1m\u001b[31mx\u001b[39m y\u001b[22m", /class="bold red">x</, "SGR becomes classes"],
    ["\u001b[1m\u001b[31mx\u001b[39m y\u001b[22m", /class="bold">y</, "…and ends where it ends"],
    ["ab  cd", /x="47\.6"[^>]*textLength="16\.8"[^>]*>cd</, "each run stands at its column"],
    ["┫", /<path class="" d="M[^"]+L[^"]+L[^"]+M[^"]+L[^"]+"/, "three arms, one of them apart"],
    ["█▌░", /width="12\.6"[^>]*class="cell "/, "blocks are as wide as they are full"],
    ["░░", /width="16\.8"[^>]*class="empty"/, "shade is the empty gauge"],
  ] as const) {
    it(because, () => assert.match(svg(output), expected))
  }

  it("is as high as it has lines", () => {
    const height = (text: string) => Number(/ height="(\d+)" role/.exec(svg(text))?.[1])
    assert.equal(height("a\nb\nc\n") - height("a"), 40)
  })
})
