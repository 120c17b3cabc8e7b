import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { stripVTControlCharacters } from "node:util"
import fc from "fast-check"
import type { Category, Insight, Name, Severity, Verdict } from "../engine/types.ts"
import type { ReportOptions } from "./report.ts"
import { renderReport } from "./report.ts"
import type { Explained } from "./report-signals.ts"
import { width } from "./report-text.ts"

const NAME: Name = {
  host: "harbour-lamps.example",
  unicode: "harbour-lamps.example",
  registrable: "harbour-lamps.example",
  suffix: "example",
  shared: false,
}

function insight(
  severity: Severity,
  category: Category,
  code: string,
  points: number,
  title: string,
  impact: string,
): Insight {
  return { severity, category, evidence: [code], points, title, impact }
}

const VERDICT: Verdict = {
  trust_score: 69,
  base: 50,
  risk_level: "medium",
  recommended_action: "review",
  confidence: 0.78,
  summary:
    "Registered for eleven years, with mail and certificates in order; a missing DMARC policy speaks against it.",
  signals: {
    dns: { has_caa: false },
    email: { dmarc_present: false, has_mx_records: true },
    tls: { uses_https: true },
    http: {},
    content: {},
    registration: { domain_age_over_5y: true, registrar_lock: "unknown" },
    identity: {},
    lexical: {},
    reputation: {},
  },
  insights: [
    insight("positive", "email", "has_mx_records", 5, "It receives mail.", "Somebody runs it."),
    insight(
      "positive",
      "tls",
      "uses_https",
      4,
      "It answers over HTTPS with a certificate that leads to a trusted authority and names it.",
      "Hygiene: impostors have it too.",
    ),
    insight(
      "positive",
      "registration",
      "domain_age_over_5y",
      14,
      "Registered more than five years ago.",
      "Fraud rarely waits for years.",
    ),
    insight(
      "negative",
      "email",
      "dmarc_present",
      -4,
      "It publishes no DMARC policy.",
      "Anyone can send mail in its name, and receivers have no rule to refuse it by.",
    ),
    insight("neutral", "dns", "has_caa", 0, "No CAA record.", "Says little."),
    insight(
      "unknown",
      "registration",
      "registrar_lock",
      0,
      "Whether the registration is locked could not be seen.",
      "Lowers the confidence, never the score.",
    ),
  ],
  next_steps: ["Ask for a DMARC policy before you exchange mail with it, and then look again."],
  ruleset: "2026.11.1",
  observation_digest: `sha256:${"0a".repeat(32)}`,
}

const SIGNALS: readonly Explained[] = [
  { code: "has_caa", category: "dns", finding: { state: false }, says: "No CAA record." },
  {
    code: "has_mx_records",
    category: "email",
    finding: { state: true, seen: "10 mail.harbour-lamps.example" },
    says: "It receives mail.",
  },
  { code: "dmarc_present", category: "email", finding: { state: false }, says: "No DMARC." },
  {
    code: "registrar_lock",
    category: "registration",
    finding: { state: "unknown", because: "not_offered" },
  },
]

const render = (options: Partial<ReportOptions> & { columns: number }, verdict = VERDICT) =>
  renderReport(verdict, NAME, { color: false, ...options })

describe("the report", () => {
  it("reads well at 60 columns", () => {
    assert.equal(
      render({ columns: 60 }),
      [
        "",
        "  ┏━╸ ┏━┓   harbour-lamps.example",
        "  ┣━┓ ┗━┫   ██████████████████████████▉░░░░░░░░░░░░ 69/100",
        "  ┗━┛ ╺━┛   medium risk · review · confidence 78 %",
        "",
        "  Registered for eleven years, with mail and certificates",
        "  in order; a missing DMARC policy speaks against it.",
        "",
        "  Counts for it                                        +23",
        "  ✓ Registered more than five years ago ·············  +14",
        "  ✓ It receives mail ································   +5",
        "  ✓ It answers over HTTPS with a certificate that",
        "    leads to a trusted authority and names it ·······   +4",
        "",
        "  Counts against it                                     −4",
        "  ✗ It publishes no DMARC policy ····················   −4",
        "    Anyone can send mail in its name, and receivers",
        "    have no rule to refuse it by.",
        "",
        "               50 to start + 23 for it − 4 against it = 69",
        "",
        "  Could not be seen",
        "  ? Whether the registration is locked could not be seen.",
        "    Lowers the confidence, never the score.",
        "",
        "  Next",
        "  → Ask for a DMARC policy before you exchange mail with",
        "    it, and then look again.",
        "",
        "  1 more without weight; --explain shows every signal.",
        "  Ruleset 2026.11.1.",
        "",
      ].join("\n"),
    )
  })

  it("reads well at 100 columns", () => {
    assert.equal(
      render({ columns: 100 }),
      [
        "",
        "  ┏━╸ ┏━┓   harbour-lamps.example",
        "  ┣━┓ ┗━┫   ███████████████████████████████████████████████████▊░░░░░░░░░░░░░░░░░░░░░░░ 69/100",
        "  ┗━┛ ╺━┛   medium risk · review · confidence 78 %",
        "",
        "  Registered for eleven years, with mail and certificates in order; a missing DMARC policy",
        "  speaks against it.",
        "",
        "  Counts for it                                                                            +23",
        "  ✓ Registered more than five years ago ·················································  +14",
        "  ✓ It receives mail ····································································   +5",
        "  ✓ It answers over HTTPS with a certificate that leads to a trusted authority and names",
        "    it ··················································································   +4",
        "",
        "  Counts against it                                                                         −4",
        "  ✗ It publishes no DMARC policy ························································   −4",
        "    Anyone can send mail in its name, and receivers have no rule to refuse it by.",
        "",
        "                                                   50 to start + 23 for it − 4 against it = 69",
        "",
        "  Could not be seen",
        "  ? Whether the registration is locked could not be seen.",
        "    Lowers the confidence, never the score.",
        "",
        "  Next",
        "  → Ask for a DMARC policy before you exchange mail with it, and then look again.",
        "",
        "  1 more without weight; --explain shows every signal. Ruleset 2026.11.1.",
        "",
      ].join("\n"),
    )
  })

  it("lists every signal when explaining", () => {
    const text = render({ columns: 60, explained: SIGNALS })
    assert.equal(
      text.slice(text.indexOf("  Every signal")),
      [
        "  Every signal",
        "",
        "  dns",
        "  has_caa                       no                       0",
        "    No CAA record.",
        "",
        "  email",
        "  has_mx_records                yes                     +5",
        "    It receives mail.",
        "    Seen: 10 mail.harbour-lamps.example",
        "    Somebody runs it.",
        "  dmarc_present                 no                      −4",
        "    No DMARC.",
        "    Anyone can send mail in its name, and receivers have",
        "    no rule to refuse it by.",
        "",
        "  registration",
        "  registrar_lock                unknown",
        "    Nobody serves this here.",
        "",
        "  Ruleset 2026.11.1, observation sha256:0a0a0a0a0a0a0a0a…",
        "",
      ].join("\n"),
    )
  })

  it("differs only by escape sequences in colour", () => {
    const colored = render({ columns: 60, color: true })
    assert.ok(colored.includes("\u001b["))
    assert.equal(stripVTControlCharacters(colored), render({ columns: 60 }))
  })

  it("shows the ASCII name first when the Unicode one differs", () => {
    const name = { ...NAME, host: "xn--pypal-4ve.example", unicode: "pаypal.example" }
    const text = renderReport(VERDICT, name, { columns: 80, color: false })
    assert.match(text, /xn--pypal-4ve\.example \(pаypal\.example\)/)
  })

  it("cuts what was seen rather than wrapping it, and says so by an ellipsis", () => {
    const seen =
      "It keeps browsers on HTTPS: max-age=31536000; includeSubDomains; preload; and more"
    const one = insight("positive", "http", "hsts_enabled", 1, seen, "Hygiene.")
    const text = render({ columns: 60 }, { ...VERDICT, insights: [one] })
    assert.match(text, /✓ It keeps browsers on HTTPS: max-age=31536000; in… {3}\+1\n/)
  })

  it("begins with what decided", () => {
    const against = VERDICT.insights.map((one) => ({ ...one, points: -one.points }))
    const text = render({ columns: 60 }, { ...VERDICT, trust_score: 31, insights: against })
    assert.ok(text.indexOf("Counts against it") < text.indexOf("Counts for it"))
  })

  it("shows apart what the end of the scale takes away", () => {
    const one = insight("neutral", "dns", "score_ceiling", -3, "The score ends at 100", "why")
    const bound = { ...one, category: "score" } as const
    const gained = insight("positive", "dns", "has_caa", 53, "Reason", "why")
    const verdict = { ...VERDICT, trust_score: 100, insights: [gained, bound] }
    const text = render({ columns: 60 }, verdict)
    assert.match(text, / 50 to start \+ 53 for it − 3 beyond 100 = 100\n/)
    assert.doesNotMatch(text, /Counts against it/)
  })

  it("keeps within a narrower terminal's 60 columns, and 96 of a wide one's", () => {
    assert.equal(render({ columns: 20 }), render({ columns: 60 }))
    assert.equal(render({ columns: 500 }), render({ columns: 96 }))
  })
})

const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.constantFrom("\u001b[2J\u001b]0;owned\u0007x", "a\u202eb", "东".repeat(90), "x".repeat(200)),
)

describe("the report of anything", () => {
  const insights = fc.array(
    fc.record({
      severity: fc.constantFrom<Severity>("positive", "neutral", "negative", "unknown"),
      category: fc.constantFrom<Category | "score">("dns", "tls", "score"),
      title: hostile,
      evidence: fc.tuple(fc.constantFrom("has_caa", "dmarc_present")),
      impact: hostile,
      points: fc.integer({ min: -40, max: 40 }),
    }),
    { maxLength: 8 },
  )

  it("is never wider than its columns, nor holds a control or invisible character", () => {
    fc.assert(
      fc.property(insights, hostile, fc.integer({ min: 60, max: 120 }), (list, text, columns) => {
        const verdict = { ...VERDICT, insights: list, summary: text, next_steps: [text] }
        const explained = [
          { code: "has_caa", category: "dns", finding: { state: true, seen: text }, says: text },
        ] as const
        for (const line of render({ columns, explained }, verdict).split("\n")) {
          assert.ok(width(line) <= columns, line)
          assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u)
        }
      }),
    )
  })

  it("shows every point, and the points shown add up to the score", () => {
    fc.assert(
      fc.property(insights, fc.integer({ min: 0, max: 100 }), (list, base) => {
        const trust_score = base + list.reduce((sum, { points }) => sum + points, 0)
        fc.pre(trust_score >= 0 && trust_score <= 100)
        const text = render(
          { columns: 80 },
          {
            ...VERDICT,
            base,
            trust_score,
            insights: list.map((one, i) => ({ ...one, title: `Reason ${i}`, impact: "why" })),
          },
        )
        const rows = [...text.matchAll(/^ {2}[✓✗] Reason \d+ ·* +([+−]\d+)$/gmu)]
        const shown = rows.map((row) => Number((row[1] ?? "").replace("−", "-")))
        const [, terms = "", end] = /^ *(\d+ to start[^=]*) = (\d+)$/m.exec(text) ?? []
        const values = [...terms.matchAll(/([+−]?) ?(\d+) (to|for|against|below|beyond)/g)].map(
          ([, sign, value, kind]) => ({ kind, value: Number(value) * (sign === "−" ? -1 : 1) }),
        )
        const total = (kinds: RegExp) =>
          values.reduce((all, { kind, value }) => all + (kinds.test(kind ?? "") ? value : 0), 0)
        assert.equal(total(/./), trust_score)
        assert.equal(Number(end), trust_score)
        assert.equal(
          shown.reduce((a, b) => a + b, 0),
          total(/for|against/),
        )
      }),
    )
  })
})
