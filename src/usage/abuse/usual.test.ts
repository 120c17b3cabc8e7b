/** What counts as usual, and what does not move it. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Counted } from "./usual.ts"
import { usualHour, usualOf } from "./usual.ts"

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A Wednesday. */
const NOW = Date.parse("2026-11-25T10:00:00.000Z")

/** @param count - By how many days ago and which hour of the day. */
const days = (many: number, count: (ago: number, hour: number) => number): Counted[] =>
  Array.from({ length: many * 24 }, (_, n) => {
    const at = Math.floor(NOW / DAY_MS) * DAY_MS - (n + 1) * HOUR_MS
    return { hour: at, count: count(Math.floor(n / 24) + 1, new Date(at).getUTCHours()) }
  })

describe("what is usual", () => {
  for (const [values, expected, because] of [
    [[], 0, "nothing"],
    [[7], 7, "one value"],
    [[1, 2, 3, 4, 1_000], 3 + 3 * 1.4826, "one strange value moves nothing"],
    [[5, 5, 5, 5], 5, "no spread"],
    [[2, 4], 3 + 3 * 1.4826, "between two"],
  ] as const) {
    it(`${because}: ${expected}`, () => assert.equal(usualOf(values), expected))
  }

  for (const [history, usual, seen, because] of [
    [days(20, (_, hour) => (hour === 12 ? 80 : 5)), 80, 20, "the busiest hour of days"],
    [
      [...days(20, () => 80), { hour: NOW - HOUR_MS, count: 90_000 }],
      80,
      20,
      "not what came an hour ago: an attack would be usual while it lasts",
    ],
    [days(20, (ago) => (ago === 3 ? 90_000 : 80)), 80, 20, "not what came once"],
    [
      days(28, (ago, hour) => (ago % 7 === 0 && hour === 11 ? 5_000 : 80)),
      5_000,
      28,
      "what comes every Wednesday at that time, give or take an hour",
    ],
    [
      days(28, (ago, hour) => (ago % 7 === 3 && hour === 10 ? 5_000 : 80)),
      80,
      28,
      "not what comes on another day",
    ],
    [
      days(28, (ago, hour) => (ago === 14 && hour === 10 ? 5_000 : 80)),
      80,
      28,
      "not what came on one Wednesday of four",
    ],
    [days(40, (ago) => (ago > 28 ? 9_000 : 80)), 80, 28, "not what is older than four weeks"],
    [
      days(20, (ago) => (ago % 5 === 0 ? 80 : 0)),
      80,
      20,
      "days without requests are no days of little",
    ],
    [[], 0, 0, "no history"],
  ] as const) {
    it(`${because}: ${usual}`, () => {
      assert.deepEqual(usualHour(history, NOW), { usual, days: seen })
    })
  }
})
