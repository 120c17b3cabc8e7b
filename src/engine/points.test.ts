import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { BASE, POINTS, RULESET } from "./points.ts"
import { RULES } from "./rules/rules.ts"

const worths = RULES.map((rule) => ({ ...rule, worth: POINTS[rule.code] }))

describe("the points", () => {
  it("have a row for every rule, and none besides", () => {
    assert.deepEqual(Object.keys(POINTS).toSorted(), RULES.map(({ code }) => code).toSorted())
  })

  for (const [code, worth] of Object.entries(POINTS)) {
    it(`${code}: whole numbers, with a reason`, () => {
      assert.ok(Number.isInteger(worth.true) && Number.isInteger(worth.false))
      assert.match(worth.because, /^[A-Z].{10,}\.$/)
    })
  }

  it("of one finding are for it in one state only", () => {
    for (const [code, worth] of Object.entries(POINTS)) {
      assert.ok(worth.true <= 0 || worth.false <= 0, code)
    }
  })

  it("that cost nothing cannot make up for the first thirty days", () => {
    const best = worths.reduce((sum, { category, worth }) => {
      const most = Math.max(worth?.true ?? 0, worth?.false ?? 0)
      return category === "registration" ? sum : sum + most
    }, BASE)
    const term =
      (POINTS["registration_multi_year"]?.true ?? 0) + (POINTS["registrar_lock"]?.true ?? 0)
    const newness =
      (POINTS["domain_age_under_30d"]?.true ?? 0) + (POINTS["domain_age_under_1y"]?.true ?? 0)
    // A refusal of mail and taking it exclude each other.
    const exclusive = POINTS["null_mx"]?.true ?? 0
    assert.ok(best + term + newness - exclusive < 75, String(best + term + newness - exclusive))
  })

  it("belong to a dated ruleset", () => assert.match(RULESET, /^20\d\d\.\d{1,2}\.\d+$/))
})
