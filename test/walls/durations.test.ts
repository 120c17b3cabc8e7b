import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { compareDurations, signedRank } from "./durations.ts"
import { seeded } from "./random.ts"

describe("the comparison of durations", () => {
  for (const [what, differences, z] of [
    ["nothing", [], 0],
    ["equal times", [0, 0, 0], 0],
    ["one way as much as the other", [1, -1.5, -2, 2.5], 0],
    // W = 1 + 2 + 3 + 4 = 10; variance 4 × 5 × 9 / 6 = 30.
    ["the first always longer", [1, 2, 3, 4], 10 / Math.sqrt(30)],
    ["the first always shorter", [-4, -3, -2, -1], -10 / Math.sqrt(30)],
  ] as const) {
    it(`of ${what}`, () => assert.ok(Math.abs(signedRank(differences) - z) < 1e-12))
  }

  /** A busy machine: 3 ms and a long tail, drifting. */
  const noisy = (random: () => number, extraMs: number) => async (index: number) =>
    3 + Math.sin(index / 40) + extraMs - 2 * Math.log(1 - random())

  it("finds a millisecond in the noise, and nothing where nothing is, whatever the seed", async () => {
    let found = 0
    let invented = 0
    for (let seed = 1; seed <= 40; seed++) {
      const random = seeded(seed)
      const slower = await compareDurations(noisy(random, 1), noisy(random, 0), random)
      if (slower.differ && slower.z > 0) found++
      const same = await compareDurations(noisy(random, 0), noisy(random, 0), random)
      if (same.differ) invented++
    }
    assert.deepEqual({ found, invented }, { found: 40, invented: 0 })
  })
})
