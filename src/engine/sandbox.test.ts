import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { judge } from "./judge.ts"
import { normalizeName } from "./name.ts"
import { sandboxBehaviour, sandboxObservation } from "./sandbox.ts"
import type { Verdict } from "./types.ts"

const NOW = new Date("2026-11-24T12:34:56.789Z")
const verdictOf = (domain: string, now = NOW): Verdict =>
  judge(sandboxObservation(normalizeName(domain), now))

describe("the sandbox", () => {
  for (const [domain, action, levels, evidence] of [
    ["approve.test", "approve", ["low"], { domain_age_over_5y: true }],
    ["review.test", "review", ["medium", "high"], { domain_age_under_1y: true }],
    [
      "reject.test",
      "reject",
      ["critical"],
      { cert_hostname_match: false, domain_age_under_30d: true },
    ],
    [
      "unreachable.test",
      "review",
      ["low", "medium"],
      { http_reachable: "unknown", uses_https: "unknown", dns_resolves: true },
    ],
    [
      "expired-cert.test",
      "review",
      ["low", "medium"],
      { cert_expired: true, cert_valid_chain: true },
    ],
    ["parked.test", "review", ["medium", "high"], { parked_page: true }],
    ["look-alike.test", "reject", ["critical"], { homoglyph_of_brand: true }],
    ["new-domain.test", "review", ["medium"], { domain_age_under_30d: true, has_mx_records: true }],
    ["slow.test", "approve", ["low"], {}],
  ] as const) {
    it(`${domain}: ${action}`, () => {
      const verdict = verdictOf(domain)
      const told = verdict.insights.map(({ points, title }) => `${points} ${title}`).join("\n")
      assert.equal(verdict.recommended_action, action, `${verdict.trust_score}\n${told}`)
      assert.ok(
        (levels as readonly string[]).includes(verdict.risk_level),
        `${verdict.trust_score}\n${told}`,
      )
      const signals = Object.assign({}, ...Object.values(verdict.signals)) as Record<
        string,
        unknown
      >
      for (const [code, state] of Object.entries(evidence)) assert.equal(signals[code], state, code)
    })
  }

  it("judges any other name the same within the hour, whoever asks", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,20}\.com$/), (domain) => {
        assert.deepEqual(verdictOf(domain), verdictOf(domain, new Date("2026-11-24T12:00:00Z")))
      }),
      { numRuns: 50 },
    )
  })

  it("takes the same action at any time", () => {
    for (const domain of ["bakery.com", "shop.de", "approve.test", "reject.test"]) {
      const later = verdictOf(domain, new Date("2031-02-03T04:05:06Z"))
      assert.equal(later.trust_score, verdictOf(domain).trust_score)
    }
  })

  it("spreads other names over the three actions", () => {
    const counts = { approve: 0, review: 0, reject: 0 }
    for (let i = 0; i < 300; i++)
      counts[verdictOf(`bakery-${"abcdefghij".charAt(i % 10)}${i}.com`).recommended_action]++
    for (const count of Object.values(counts)) assert.ok(count > 60, JSON.stringify(counts))
  })

  it("sees the name that was asked for, but for the look-alike", () => {
    assert.equal(sandboxObservation(normalizeName("bakery.com"), NOW).name.host, "bakery.com")
    assert.equal(sandboxObservation(normalizeName("look-alike.test"), NOW).name.host, "paypa1.test")
  })

  for (const [domain, behaviour] of [
    ["slow.test", { delayMs: 3_000 }],
    ["rate-limited.test", { problem: "RATE_LIMITED" }],
    ["quota-exceeded.test", { problem: "QUOTA_EXCEEDED" }],
    ["error.test", { problem: "INTERNAL" }],
    ["approve.test", {}],
    ["constructor.test", {}],
  ] as const) {
    it(`${domain} behaves: ${JSON.stringify(behaviour)}`, () => {
      assert.deepEqual(sandboxBehaviour(normalizeName(domain)), behaviour)
    })
  }
})
