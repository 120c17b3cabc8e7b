import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { limitHeaders } from "./limits.ts"

describe("RateLimit fields", () => {
  const rate = { perSecond: 10, burst: 50, left: 20 }
  const quota = { perMonth: 10_000, left: 7 }
  for (const [what, limits, now, policy, left] of [
    [
      "a rate: the window is what fills the burst",
      { rate },
      0,
      '"rate";q=50;w=5',
      '"rate";r=20;t=3',
    ],
    [
      "a quota: the window is this month, to its end in UTC",
      { quota },
      Date.UTC(2026, 10, 30, 23, 59, 0, 1),
      '"month";q=10000;w=2592000',
      '"month";r=7;t=60',
    ],
    [
      "both, in a leap year's February",
      { rate, quota },
      Date.UTC(2028, 1, 29),
      '"rate";q=50;w=5, "month";q=10000;w=2505600',
      '"rate";r=20;t=3, "month";r=7;t=86400',
    ],
  ] as const) {
    it(what, () => {
      assert.deepEqual(limitHeaders(limits, now), [
        ["ratelimit-policy", policy],
        ["ratelimit", left],
      ])
    })
  }
})
