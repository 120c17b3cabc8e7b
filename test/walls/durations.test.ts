import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { compareDurations, deviation } from "./durations.ts"
import { seeded } from "./random.ts"

describe("the comparison of durations", () => {
  for (const [what, samples, z] of [
    // Ranks 1 and 4 against 2 and 3; the quickest one of four is the first's.
    [
      "one way as much as the other",
      [
        [1, 2],
        [4, 3],
      ],
      -1,
    ],
    // Ranks 3 + 4 = 7, 5 expected, variance 2 × 2 × 5 / 12.
    [
      "the first always longer",
      [
        [3, 1],
        [4, 2],
      ],
      2 / Math.sqrt(20 / 12),
    ],
    [
      "the first always shorter",
      [
        [1, 3],
        [2, 4],
      ],
      -2 / Math.sqrt(20 / 12),
    ],
  ] as const) {
    it(`of ${what}`, () =>
      assert.ok(Math.abs(deviation(samples) - z) < 1e-12, `${deviation(samples)}`))
  }

  /** A busy machine: a quick few, a tail of tens of milliseconds, drifting. */
  const noisy = (random: () => number, extraMs: number) => async (run: number) =>
    3 +
    Math.sin(run / 40) / 4 +
    extraMs +
    (random() < 0.3 ? random() / 2 : -20 * Math.log(1 - random()))

  it("finds a millisecond in the noise, and nothing where nothing is, whatever the seed", async () => {
    let found = 0
    let invented = 0
    for (let seed = 1; seed <= 60; seed++) {
      const random = seeded(seed)
      const slower = await compareDurations(noisy(random, 1), noisy(random, 0), random, 5)
      if (slower.differ && slower.z > 0) found++
      const same = await compareDurations(noisy(random, 0), noisy(random, 0), random, 3)
      if (same.differ) invented++
    }
    assert.deepEqual({ found, invented }, { found: 60, invented: 0 })
  })
})
