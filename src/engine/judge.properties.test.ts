import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import {
  aged,
  bareHeaders,
  bareHome,
  bareMail,
  brief,
  noPages,
  nowhere,
  unsigned,
} from "../../test/changes.ts"
import type { Change } from "../../test/observation.ts"
import { all, home, named, observe, onPlatform, registration, tls } from "../../test/observation.ts"
import { judge } from "./judge.ts"
import { POINTS } from "./points.ts"
import type { Observation, Why } from "./types.ts"

describe("the verdict of anything", () => {
  const why = fc.constantFrom<Why>("timeout", "challenge", "platform", "not_offered")
  const changes: readonly Change[] = [
    bareMail,
    unsigned,
    noPages,
    bareHeaders,
    bareHome,
    brief,
    onPlatform,
    nowhere,
    aged(2),
    aged(200),
    aged(4_000),
    named("paypa1.example"),
    named("amazon-login.example"),
    named("xn--pypal-4ve.example"),
    tls((t) => {
      t.chainValid = false
    }),
    home((p) => {
      p.text = "This domain is for sale"
    }),
    (o) => {
      o.dns.bogus = { value: true }
    },
    registration((r) => {
      r.statuses = ["server hold"]
    }),
  ]
  const hidden = fc.record({
    dns: fc.option(why),
    tls: fc.option(why),
    http: fc.option(why),
    registration: fc.option(why),
  })
  const anything = fc.tuple(fc.subarray([...changes]), hidden).map(([some, hide]) =>
    observe((o) => {
      all(...some)(o)
      if (hide.dns)
        for (const key of Object.keys(o.dns) as (keyof Observation["dns"])[])
          o.dns[key] = { unknown: hide.dns }
      if (hide.tls) o.tls = { unknown: hide.tls }
      if (hide.http)
        for (const key of Object.keys(o.http) as (keyof Observation["http"])[])
          o.http[key] = { unknown: hide.http }
      if (hide.registration) o.registration = { unknown: hide.registration }
    }),
  )

  it("the points add up to the score, which stays in its range", () => {
    fc.assert(
      fc.property(anything, (seen) => {
        const { base, insights, trust_score, confidence } = judge(seen)
        assert.equal(base + insights.reduce((sum, { points }) => sum + points, 0), trust_score)
        assert.ok(trust_score >= 0 && trust_score <= 100)
        assert.ok(
          confidence >= 0 &&
            confidence <= 1 &&
            Number.isInteger(Math.round(confidence * 1e6) / 1e4),
        )
      }),
    )
  })

  it("unknown has no points, and the weightiest comes first", () => {
    fc.assert(
      fc.property(anything, (seen) => {
        const { insights, signals } = judge(seen)
        const states = Object.assign({}, ...Object.values(signals)) as Record<
          string,
          boolean | "unknown"
        >
        for (const { evidence, points, severity } of insights) {
          const [code = ""] = evidence
          if (states[code] === "unknown") assert.deepEqual([points, severity], [0, "unknown"])
          else if (POINTS[code])
            assert.equal(points, POINTS[code][states[code] === true ? "true" : "false"])
        }
        const weights = insights.map(({ points }) => Math.abs(points))
        assert.deepEqual(
          weights,
          weights.toSorted((a, b) => b - a),
        )
      }),
    )
  })

  it("hiding a part lowers confidence, and takes away its own points alone", () => {
    fc.assert(
      fc.property(anything, (seen) => {
        const whole = judge(seen)
        const blind = judge({ ...seen, registration: { unknown: "timeout" } })
        assert.ok(blind.confidence <= whole.confidence)
        const score = whole.insights
          .filter(({ category }) => category !== "registration" && category !== "score")
          .reduce((sum, { points }) => sum + points, whole.base)
        assert.equal(blind.trust_score, Math.min(100, Math.max(0, score)))
      }),
    )
  })

  it("rejects nothing without half of what counts, and approves nothing without two thirds", () => {
    fc.assert(
      fc.property(anything, (seen) => {
        const { confidence, recommended_action } = judge(seen)
        if (confidence < 0.67) assert.notEqual(recommended_action, "approve")
        if (confidence < 0.5) assert.equal(recommended_action, "review")
      }),
    )
  })

  it("approves no name under thirty days old", () => {
    fc.assert(
      fc.property(anything, (seen) => {
        const { signals, recommended_action } = judge(seen)
        if (signals.registration["domain_age_under_30d"] === true) {
          assert.notEqual(recommended_action, "approve")
        }
      }),
    )
  })

  it("gives the same bytes for the same bytes, and speaks one plain sentence", () => {
    fc.assert(
      fc.property(anything, (seen) => {
        const verdict = judge(seen)
        assert.equal(
          JSON.stringify(judge(JSON.parse(JSON.stringify(seen)))),
          JSON.stringify(verdict),
        )
        assert.match(verdict.summary, /^(Low|Medium|High|Critical) risk, \d+ of 100: [^.]+\.$/)
        assert.ok(verdict.next_steps.length >= 1 && verdict.next_steps.length <= 5)
      }),
    )
  })
})
