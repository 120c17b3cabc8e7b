import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Told } from "./advice.ts"
import { nextSteps, summarize, unseenTitle } from "./advice.ts"

const told = (code: string, category: Told["category"], points: number, says: string): Told => ({
  code,
  category,
  state: true,
  points,
  says,
})
const old = told("domain_age_over_5y", "registration", 12, "Has been registered for five years")
const paid = told("registration_multi_year", "registration", 4, "Is paid ahead")
const signed = told("dnssec_signed", "dns", 3, "Is signed")
const parked = told("parked_page", "content", -22, "Is parked or for sale")
const trifle = told("favicon_present", "content", 1, "Has an icon")

describe("summarize", () => {
  for (const [because, level, confidence, findings, sentence] of [
    [
      "the side that prevails comes first, with two categories",
      "low",
      1,
      [parked, old, paid, signed],
      "Low risk, 80 of 100: this name has been registered for five years and is signed, but is parked or for sale.",
    ],
    [
      "what speaks against it comes first otherwise",
      "high",
      1,
      [parked, old],
      "High risk, 80 of 100: this name is parked or for sale, but has been registered for five years.",
    ],
    [
      "trifles are no news",
      "medium",
      1,
      [trifle],
      "Medium risk, 80 of 100: little speaks for this name or against it.",
    ],
    [
      "two points are news; half is no doubt",
      "medium",
      0.5,
      [{ ...trifle, points: 2 }],
      "Medium risk, 80 of 100: this name has an icon.",
    ],
    [
      "doubt is told",
      "high",
      0.49,
      [parked],
      "High risk, 80 of 100: this name is parked or for sale, and too little could be seen to be sure.",
    ],
  ] as const) {
    it(because, () => {
      const verdict = { trust_score: 80, risk_level: level, confidence }
      assert.equal(summarize(verdict, findings), sentence)
    })
  }
})

describe("nextSteps", () => {
  it("follow from findings first, then from what could not be seen, each once", () => {
    const steps = nextSteps(
      "review",
      [parked],
      [
        { category: "registration", because: "timeout" },
        { category: "http", because: "challenge" },
        { category: "content", because: "challenge" },
      ],
    )
    assert.deepEqual(steps, [
      "Ask for the site that they trade on: this one is parked.",
      "Ask since when they have had the name: its registration could not be seen.",
      "Open the site in a browser: it turns automatic visitors away.",
    ])
  })

  it("ask nothing about a platform's registration", () => {
    const steps = nextSteps("review", [], [{ category: "registration", because: "platform" }])
    assert.match(steps.join(), /proof of who is behind/)
  })

  it("of a state that is not asked about there is none", () => {
    const steps = nextSteps("review", [{ ...parked, state: false }], [])
    assert.match(steps.join(), /proof of who is behind/)
  })

  it("begin with a warning where the name is rejected", () => {
    assert.match(nextSteps("reject", [parked], [])[0] ?? "", /^Do not go on/)
  })

  it("say so where nothing is left to do", () => {
    assert.match(nextSteps("approve", [old], []).join(), /^Nothing stands in the way/)
  })
})

describe("unseenTitle", () => {
  it("tells a part from the whole", () => {
    assert.equal(
      unseenTitle("tls", "refused", true),
      "TLS could not be seen: the connection was refused",
    )
    assert.equal(
      unseenTitle("http", "refused", false),
      "HTTP, in part, could not be seen: the connection was refused",
    )
  })
})
