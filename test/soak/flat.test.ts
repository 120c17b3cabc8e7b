import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { growth } from "./flat.ts"

const SLACK = { share: 0.1, plus: 2 }
const made = (length: number, at: (n: number) => number) => Array.from({ length }, (_, n) => at(n))

describe("whether a figure grew", () => {
  for (const [what, figures, grew] of [
    ["always the same", made(40, () => 100), false],
    ["filling up in the first quarter", made(40, (n) => Math.min(n, 10) * 10), false],
    ["going up and down", made(40, (n) => 100 + (n % 7)), false],
    ["one peak near the end", made(40, (n) => (n === 37 ? 900 : 100)), false],
    ["a leak of one in each", made(40, (n) => 100 + n), true],
    ["a step in the second half", made(40, (n) => (n > 25 ? 120 : 100)), true],
    ["a few connections, and one more all the time", made(40, (n) => 4 + n / 10), false],
    ["a few, and three more", made(40, (n) => (n > 20 ? 8 : 4)), true],
  ] as const) {
    it(`${what}: ${grew ? "it did" : "flat"}`, () => {
      assert.equal(growth("it", figures, SLACK) !== undefined, grew)
    })
  }
})
