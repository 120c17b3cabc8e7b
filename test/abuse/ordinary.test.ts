/** A month of ordinary traffic sets off no detector, with several seeds; and each would be, by a little more. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Finding, Seen } from "../../src/usage/abuse/detectors.ts"
import { detect } from "../../src/usage/abuse/detectors.ts"
import { RULES } from "../../src/usage/abuse/rules.ts"
import { DAYS, ordinaryMonth } from "./month.ts"

const SEEDS = [1, 2, 3, 5, 8, 13]

describe("a month of ordinary traffic", () => {
  for (const seed of SEEDS) {
    it(`is not noticed, with the seed ${seed}`, () => {
      const found: (Finding & { at: string })[] = []
      let looks = 0
      let [requests, networks, refused, missing] = [0, 0, 0, 0]
      for (const seen of ordinaryMonth(seed)) {
        looks++
        for (const hour of seen.hours) {
          requests = Math.max(requests, hour.requests)
          refused = Math.max(refused, hour.refused)
          missing = Math.max(missing, hour.missing)
        }
        networks = Math.max(networks, ...seen.networks.map(({ today }) => today))
        found.push(...detect(seen).map((one) => ({ ...one, at: new Date(seen.now).toISOString() })))
      }
      assert.deepEqual(found, [])
      assert.equal(looks, DAYS * 24)
      // It is no month of silence: floors that have a ratio are passed again and again.
      assert.ok(requests > 5 * RULES.burst.floor, `${requests} requests`)
      assert.ok(networks > 5 * RULES.networks.floor, `${networks} networks`)
      assert.ok(refused > 0 && missing > 0)
    })
  }
})

describe("the same month with an attack in its last hour", () => {
  /** @returns What is found when the last look is changed. */
  const withAttack = (change: (last: Seen) => Partial<Seen>): Finding[] => {
    let last: Seen | undefined
    for (const seen of ordinaryMonth(1)) last = { ...seen }
    assert.ok(last)
    return detect({ ...last, ...change(last) })
  }
  const isOf = (rule: string) => (found: Finding) => found.rule === rule

  for (const [rule, because, change] of [
    [
      "burst",
      "the busiest tenant asks twenty times what it asks at its busiest",
      ({ hours }: Seen) => ({ hours: grow(hours, 4, { requests: 800_000 }) }),
    ],
    [
      "burst",
      "a small tenant asks what only big ones do",
      ({ hours }: Seen) => ({ hours: grow(hours, 0, { requests: 9_000 }) }),
    ],
    [
      "domains",
      "a small tenant works through a list",
      ({ hours }: Seen) => ({ hours: grow(hours, 0, { requests: 4_500, misses: 4_500 }) }),
    ],
    [
      "ended_key",
      "300 requests",
      ({ hours }: Seen) => ({ hours: grow(hours, 2, { refused: 300 }) }),
    ],
    [
      "identifiers",
      "60 of them",
      ({ hours }: Seen) => ({ hours: grow(hours, 2, { missing: 60 }) }),
    ],
    [
      "unknown_keys",
      "a thousand",
      ({ unknownKeys }: Seen) => ({
        unknownKeys: [
          ...unknownKeys.slice(0, -1),
          { hour: unknownKeys.at(-1)?.hour ?? 0, count: 3_000 },
        ],
      }),
    ],
    [
      "networks",
      "a key of few networks has four times as many as would be too many",
      ({ networks }: Seen) => ({
        networks: networks.map((one, n) => (n === 0 ? { ...one, today: 60 } : one)),
      }),
    ],
  ] as const) {
    it(`${rule}: ${because}`, () => {
      const found = withAttack(change)
      assert.ok(found.some(isOf(rule)), JSON.stringify(found))
    })
  }
})

/** @param n - The tenant. @returns Hours in which its last has more. */
function grow(hours: Seen["hours"], n: number, more: Partial<Seen["hours"][number]>) {
  const latest = Math.max(...hours.map(({ hour }) => hour))
  const at = hours.findIndex(
    (one) => one.hour === latest && one.keyId.endsWith(`${(2 * n).toString(16)}`),
  )
  return hours.map((one, index) => (index === at ? { ...one, ...more } : one))
}
