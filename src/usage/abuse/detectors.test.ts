/** Each rule at its threshold and one below, and what it does not look at. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Finding, KeyHour, Seen } from "./detectors.ts"
import {
  burst,
  DEPLOYMENT,
  detect,
  domains,
  endedKey,
  endedKeys,
  identifiers,
  networks,
  unknownKeys,
} from "./detectors.ts"
import { RULES } from "./rules.ts"

const HOUR = Date.parse("2026-11-25T10:00:00.000Z")
const HOUR_MS = 3_600_000

const key = (more: Partial<KeyHour> = {}): KeyHour => ({
  tenantId: "t",
  keyId: "k",
  hour: HOUR,
  requests: 0,
  misses: 0,
  refused: 0,
  missing: 0,
  ...more,
})
const keys = (count: number, more: Partial<KeyHour>) =>
  Array.from({ length: count }, (_, n) => key({ keyId: `k${n}`, ...more }))
/** @param usual - Of an hour of the tenant. */
const seen = (more: Partial<Seen>, usual = 100, days = 28): Seen => ({
  hours: [],
  since: HOUR - HOUR_MS,
  unknownKeys: [],
  networks: [],
  usual: () => ({ requests: { usual, days }, misses: { usual, days } }),
  domains: () => undefined,
  ...more,
})
const network = (today: number, before: readonly number[]) => ({
  networks: [{ tenantId: "t", keyId: "k", today, before }],
})

for (const [rule, find, cases] of [
  [
    "unknown_keys",
    unknownKeys,
    [
      [1_000, seen({ unknownKeys: [{ hour: HOUR, count: 1_000 }] }), "the floor"],
      [undefined, seen({ unknownKeys: [{ hour: HOUR, count: 999 }] }), "one fewer"],
      [
        undefined,
        seen({ unknownKeys: [{ hour: HOUR - 2 * HOUR_MS, count: 5_000 }] }),
        "an hour that was looked at before",
      ],
      [
        undefined,
        seen({
          unknownKeys: [
            ...Array.from({ length: 20 }, (_, n) => ({
              hour: HOUR - (n + 1) * 24 * HOUR_MS,
              count: 400,
            })),
            { hour: HOUR, count: 3_199 },
          ],
        }),
        "less than eight times what is usual here",
      ],
    ],
  ],
  [
    "ended_key",
    endedKey,
    [
      [300, seen({ hours: [key({ refused: 300 })] }), "the floor"],
      [undefined, seen({ hours: [key({ refused: 299 })] }), "one fewer"],
      [undefined, seen({ hours: keys(2, { refused: 200 }) }), "keys are not added up"],
    ],
  ],
  [
    "ended_keys",
    endedKeys,
    [
      [5, seen({ hours: keys(5, { refused: 1 }) }), "five keys, once each"],
      [undefined, seen({ hours: keys(4, { refused: 50 }) }), "four, however often"],
      [
        undefined,
        seen({
          hours: [...keys(3, { refused: 1 }), ...keys(3, { refused: 1, hour: HOUR - HOUR_MS })],
        }),
        "hours are not added up",
      ],
      [
        undefined,
        seen({ hours: [...keys(3, { refused: 1 }), ...keys(3, { refused: 1, tenantId: "u" })] }),
        "nor are tenants",
      ],
    ],
  ],
  [
    "identifiers",
    identifiers,
    [
      [60, seen({ hours: [key({ missing: 60 })] }), "the floor"],
      [undefined, seen({ hours: [key({ missing: 59 })] }), "one fewer"],
    ],
  ],
  [
    "domains",
    domains,
    [
      [3_000, seen({ hours: keys(2, { misses: 1_500 }) }), "keys of a tenant are added up"],
      [undefined, seen({ hours: [key({ misses: 2_999 })] }), "one fewer"],
      [undefined, seen({ hours: [key({ misses: 5_999 })] }, 1_000), "under six times the usual"],
      [6_000, seen({ hours: [key({ misses: 6_000 })] }, 1_000), "six times the usual"],
      [
        undefined,
        seen({ hours: [key({ misses: 9_000 })], domains: () => 40 }),
        "the same forty domains looked at afresh",
      ],
      [undefined, seen({ hours: [key({ misses: 9_000 })] }, 100, 6.9), "not a week of history"],
      [undefined, seen({ hours: [key({ misses: 9_000 })], usual: () => undefined }), "none at all"],
    ],
  ],
  [
    "burst",
    burst,
    [
      [5_000, seen({ hours: keys(5, { requests: 1_000 }) }), "keys of a tenant are added up"],
      [undefined, seen({ hours: [key({ requests: 4_999 })] }), "one fewer"],
      [
        undefined,
        seen({ hours: [key({ requests: 79_999 })] }, 10_000),
        "under eight times the usual",
      ],
      [80_000, seen({ hours: [key({ requests: 80_000 })] }, 10_000), "eight times the usual"],
      [undefined, seen({ hours: [key({ requests: 80_000 })] }, 100, 6.9), "not a week of history"],
      [
        undefined,
        seen({ hours: [key({ requests: 80_000 })], usual: () => undefined }),
        "none at all",
      ],
    ],
  ],
  [
    "networks",
    networks,
    [
      [50, seen(network(50, Array(7).fill(2))), "the floor"],
      [undefined, seen(network(49, Array(7).fill(2))), "one fewer"],
      [undefined, seen(network(399, Array(7).fill(100))), "under four times the usual"],
      [400, seen(network(400, Array(7).fill(100))), "four times the usual"],
      [undefined, seen(network(199, Array(6).fill(2))), "a young key may have more"],
      [200, seen(network(200, [])), "but not any number"],
    ],
  ],
] as const) {
  describe(`the rule ${rule}`, () => {
    for (const [measured, what, because] of cases) {
      it(`${measured === undefined ? "says nothing" : `finds ${measured}`}: ${because}`, () => {
        const found: Finding[] = find(what)
        assert.deepEqual(
          found.map((one) => [one.rule, one.measured]),
          measured === undefined ? [] : [[rule, measured]],
        )
        assert.ok(found.every((one) => one.measured >= one.threshold))
        assert.deepEqual(
          detect(what).filter((one) => one.rule === rule),
          found,
        )
        // Only rules of the table hold anybody.
        assert.ok(
          found.every(({ hold }) => (hold !== undefined) === "throttleHours" in RULES[rule]),
        )
      })
    }
  })
}

describe("a throttle", () => {
  it("holds to the rate that is noticed: what is usual stays possible eight times over", () => {
    const [found] = burst(seen({ hours: [key({ requests: 500_000 })] }, 36_000))
    assert.deepEqual(found?.hold, { perSecond: 80, burst: 800, hours: 1 })
  })
  it("never to less than one a second", () => {
    const [found] = domains(seen({ hours: [key({ misses: 3_000 })] }))
    assert.deepEqual(found?.hold, { perSecond: 1, burst: 10, hours: 1 })
  })
  it("is of the key that guesses, and of no other", () => {
    const [found, ...more] = identifiers(seen({ hours: [key(), key({ keyId: "g", missing: 99 })] }))
    assert.deepEqual([found?.subject, more.length], ["g", 0])
  })
  it("is of nobody for what is nobody's", () => {
    const [found] = unknownKeys(seen({ unknownKeys: [{ hour: HOUR, count: 9_999 }] }))
    assert.deepEqual([found?.tenantId, found?.hold], [DEPLOYMENT, undefined])
  })
})
