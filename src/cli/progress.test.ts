import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { progressLine, showProgress } from "./progress.ts"

const STEP = { part: "dns", done: 5, of: 20 }

describe("the line of progress", () => {
  for (const [step, columns, line, because] of [
    [undefined, 40, "a.example", "nothing is done yet"],
    [
      STEP,
      60,
      "a.example █████░░░░░░░░░░░░░░░ 5/20 dns",
      "the share that is done, and what was last",
    ],
    [STEP, 20, "a.example █████░░░░…", "it never wraps, or it could not be rewritten"],
  ] as const) {
    it(because, () => assert.equal(progressLine("a.example", step, columns), line))
  }
})

describe("progress on a terminal", () => {
  it("rewrites its one line, and leaves nothing behind", () => {
    const written: string[] = []
    const stream = { columns: 60, write: (text: string) => written.push(text) > 0 }
    const { step, end } = showProgress("a.example", stream)
    step(STEP)
    end()
    assert.ok(written.every((text) => text.startsWith("\r\u001b[2K") && !text.includes("\n")))
    assert.match(written.at(-2) ?? "", /a\.example .* 5\/20 dns$/)
    assert.equal(written.at(-1), "\r\u001b[2K")
  })
})
