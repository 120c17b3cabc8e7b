import assert from "node:assert/strict"
import { hash } from "node:crypto"
import { describe, it } from "node:test"
import {
  aged,
  bare,
  bareHeaders,
  bareMail,
  brief,
  nowhere,
  unresolved,
  unseenWeb,
  unsigned,
} from "../../test/changes.ts"
import type { Change } from "../../test/observation.ts"
import {
  all,
  daysFrom,
  home,
  NOW,
  named,
  none,
  observe,
  onPlatform,
  registration,
  tls,
} from "../../test/observation.ts"
import { canonicalJson } from "../core/canonical-json.ts"
import { judge } from "./judge.ts"
import { RULES } from "./rules/rules.ts"
import type { Observation, Verdict } from "./types.ts"

describe("judge", () => {
  for (const [because, change, action, levels] of [
    ["a good site", () => {}, "approve", ["low"]],
    [
      "an established shop, three years old",
      all(unsigned, bareHeaders, brief, aged(1_100)),
      "approve",
      ["low"],
    ],
    ["a bare site, three years old", all(bare, aged(1_100)), "review", ["medium"]],
    [
      "an old site that does little about hygiene",
      all(bareMail, unsigned, bareHeaders, brief, aged(4_000)),
      "approve",
      ["low"],
    ],
    [
      "a good site with an expired certificate",
      tls((t) => {
        t.certificate.notAfter = daysFrom(NOW, -3)
      }),
      "review",
      ["medium", "low"],
    ],
    ["a week-old site with everything that costs nothing", aged(7), "review", ["medium"]],
    [
      "a week-old honest site with a little of everything",
      all(aged(7), bareMail, unsigned, bareHeaders, brief),
      "review",
      ["high", "medium"],
    ],
    [
      "a week-old name with nothing behind it",
      all(aged(7), bare, (o) => {
        o.dns.mx = none()
      }),
      "reject",
      ["critical"],
    ],
    [
      "a look-alike a month old",
      all(aged(25), bare, named("paypa1.example")),
      "reject",
      ["critical"],
    ],
    [
      "a brand with a keyword, brand new",
      all(aged(2), brief, named("paypal-login.example")),
      "reject",
      ["critical"],
    ],
    [
      "an old parked name",
      all(
        bare,
        home((p) => {
          p.text = "This domain is for sale"
        }),
      ),
      "review",
      ["high", "medium"],
    ],
    ["a name that does not exist", nowhere, "review", ["critical", "high"]],
    ["a good site of which nothing answers", unseenWeb("refused"), "review", ["low"]],
    [
      "a good old name that its registry took out of the DNS",
      all(
        unresolved,
        registration((r) => {
          r.statuses = ["server hold"]
        }),
      ),
      "reject",
      ["critical"],
    ],
    [
      "nothing but the name seen",
      all(unseenWeb("deadline"), (o) => {
        for (const key of Object.keys(o.dns) as (keyof Observation["dns"])[])
          o.dns[key] = { unknown: "deadline" }
        o.registration = { unknown: "deadline" }
      }),
      "review",
      ["medium"],
    ],
    [
      "a good site behind a gatekeeper",
      (o) => {
        o.http.secure = {
          value: { hops: [{ url: "https://shop.example/", status: 403, headers: {} }] },
        }
        o.http.plain = {
          value: { hops: [{ url: "http://shop.example/", status: 403, headers: {} }] },
        }
        for (const key of [
          "home",
          "privacy",
          "terms",
          "contact",
          "about",
          "imprint",
          "robotsTxt",
          "securityTxt",
        ] as const)
          o.http[key] = { unknown: "challenge" }
      },
      "approve",
      ["low"],
    ],
    ["an honest site on a platform", onPlatform, "review", ["medium"]],
    [
      "a brand with a keyword on a platform",
      all(onPlatform, bare, named("paypal-login.shop.example"), onPlatform),
      "reject",
      ["critical"],
    ],
  ] as const satisfies readonly (readonly [
    string,
    Change,
    Verdict["recommended_action"],
    readonly Verdict["risk_level"][],
  ])[]) {
    it(`${because}: ${action}`, () => {
      const verdict = judge(observe(change))
      const told = verdict.insights.map(({ points, title }) => `${points} ${title}`).join("\n")
      assert.equal(
        verdict.recommended_action,
        action,
        `${verdict.trust_score} ${verdict.confidence}\n${told}`,
      )
      assert.ok(
        (levels as readonly string[]).includes(verdict.risk_level),
        `${verdict.trust_score}\n${told}`,
      )
    })
  }

  it("is less sure of a name that does not exist than half", () => {
    assert.ok(judge(observe(nowhere)).confidence < 0.5)
  })

  it("tells all of an unseen part in one insight with its reason", () => {
    const { insights } = judge(
      observe((o) => {
        o.tls = { unknown: "timeout" }
      }),
    )
    const unseen = insights.filter(
      ({ severity, category }) => severity === "unknown" && category === "tls",
    )
    assert.deepEqual(
      unseen.map(({ title, points }) => [title, points]),
      [["TLS could not be seen: there was no answer in time", 0]],
    )
    assert.equal(
      unseen[0]?.evidence.length,
      RULES.filter(({ category }) => category === "tls").length,
    )
  })

  it("says which part of a category it did not see", () => {
    const { insights } = judge(
      observe((o) => {
        o.http.privacy = { unknown: "timeout" }
      }),
    )
    const unseen = insights.find(({ severity }) => severity === "unknown")
    assert.equal(unseen?.title, "Content, in part, could not be seen: there was no answer in time")
    assert.deepEqual(unseen?.evidence, ["has_privacy_page"])
  })

  it("tells what weighs nothing only when it never does and is so", () => {
    const codes = (change: Change) =>
      judge(observe(change))
        .insights.filter(({ points, severity }) => points === 0 && severity !== "unknown")
        .map(({ evidence, severity }) => `${evidence[0]} ${severity}`)
    assert.deepEqual(
      codes(() => {}),
      ["has_ipv6 neutral", "nosniff neutral", "tls_rpt_present neutral"],
    )
    const without = all(bareMail, bareHeaders, (o) => {
      o.dns.aaaa = none()
    })
    assert.deepEqual(codes(without), [])
  })

  it("orders findings of equal weight by their code", () => {
    const codes = judge(observe(() => {}))
      .insights.filter(({ points }) => points === 2)
      .map(({ evidence }) => evidence[0])
    assert.deepEqual(codes, codes.toSorted())
    assert.ok(codes.length > 2)
  })

  it("calls a finding positive, negative or neutral by its points", () => {
    for (const { points, severity } of judge(observe(bare)).insights) {
      if (severity === "unknown") continue
      assert.equal(severity, ["negative", "neutral", "positive"][Math.sign(points) + 1])
    }
  })

  it("puts what was seen into the title, shortened", () => {
    const { insights } = judge(
      observe((o) => {
        if ("value" in o.dns.txt)
          o.dns.txt.value.records = [{ data: `v=spf1 ${"ip4:192.0.2.1 ".repeat(20)}-all`, ttl: 60 }]
      }),
    )
    const spf = insights.find(({ evidence }) => evidence[0] === "spf_present")
    assert.ok(spf?.title.endsWith("…") && spf.title.length < 130)
  })

  it("says that the sum was brought back into the range", () => {
    const { insights, trust_score } = judge(
      observe(
        all(
          aged(2),
          bare,
          named("paypa1-login.example"),
          tls((t) => {
            t.chainValid = false
            t.hostnameMatch = false
          }),
        ),
      ),
    )
    assert.equal(trust_score, 0)
    assert.deepEqual(insights.find(({ category }) => category === "score")?.evidence, [
      "score_floor",
    ])
    assert.deepEqual(
      judge(observe(() => {})).insights.find(({ category }) => category === "score")?.evidence,
      ["score_ceiling"],
    )
  })

  it("digests the observation's canonical bytes", () => {
    const seen = observe(() => {})
    const digest = hash("sha256", canonicalJson(JSON.parse(JSON.stringify(seen))))
    assert.equal(judge(seen).observation_digest, `sha256:${digest}`)
  })

  it("has all nine categories in its signals, and every rule", () => {
    const { signals } = judge(observe(() => {}))
    assert.deepEqual(Object.keys(signals).length, 9)
    assert.deepEqual(signals.reputation, {})
    assert.equal(Object.values(signals).flatMap(Object.keys).length, RULES.length)
  })
})
