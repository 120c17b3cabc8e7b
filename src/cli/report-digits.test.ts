import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { bar, largeNumber } from "./report-digits.ts"

describe("large digits", () => {
  it("draws every digit in rows of one width", () => {
    for (let value = 0; value <= 100; value++) {
      const widths = largeNumber(value).map((row) => row.length)
      assert.equal(new Set(widths).size, 1, `${value}: ${widths}`)
    }
  })

  it("tells all numbers of a score apart", () => {
    const drawn = Array.from({ length: 101 }, (_, value) => largeNumber(value).join("\n"))
    assert.equal(new Set(drawn).size, 101)
  })

  it("looks like this", () => {
    assert.deepEqual(largeNumber(82), ["┏━┓ ╺━┓", "┣━┫ ┏━┛", "┗━┛ ┗━╸"])
  })
})

describe("the gauge", () => {
  for (const [share, columns, full, rest, because] of [
    [0, 4, "", "░░░░", "empty at nothing"],
    [1, 4, "████", "", "full at everything"],
    [0.5, 4, "██", "░░", "half"],
    [0.03125, 4, "▏", "░░░", "an eighth of a column"],
    [0.99, 4, "████", "", "rounds to an eighth"],
    [-1, 4, "", "░░░░", "never below nothing"],
    [2, 4, "████", "", "never above everything"],
  ] as const) {
    it(because, () => assert.deepEqual(bar(share, columns), { full, rest }))
  }
})
