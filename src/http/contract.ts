/**
 * The HTTP contract: the shapes of what is sent and answered. The OpenAPI document comes out of
 * these schemas. Queries are strict; answers are open, since fields may be added to them. Refusals
 * have theirs in contract-refusal.ts.
 */
import { z } from "@hono/zod-openapi"
import { CATEGORIES } from "../engine/types.ts"

/** A field with what it means and a value it can have; the document and the reference show both. */
export const field = <T extends z.ZodType>(schema: T, description: string, example?: unknown) =>
  schema.openapi(example === undefined ? { description } : { description, example })

export const time = (description: string, example = "2026-11-23T10:00:00.000Z") =>
  field(z.iso.datetime({ precision: 3 }), `${description} RFC 3339, UTC, milliseconds.`, example)
export const requestId = field(
  z.string(),
  "Names the request; the same as the header `x-request-id`.",
  "req_01kar0v9z8fjrbh3p5t7wxyqm4",
)
const environment = field(z.enum(["live", "test"]), "Of the key that asked.", "live")

export const AnalyzeQuery = z.strictObject({
  domain: z.string().min(1, "is missing").openapi({
    description:
      "A domain, a host or a URL. Scheme, path, port, `www.`, letter case, trailing dot and Unicode (UTS #46) are normalised.",
    example: "example.com",
  }),
  fresh: z
    .enum(["true", "false"])
    .optional()
    .openapi({ description: "`true`: look again, whatever is known. Counts as any other." }),
  attest: z.enum(["true", "false"]).optional().openapi({
    description:
      "`true`: add the verdict signed, to be verified offline with `/.well-known/jwks.json`.",
  }),
})

const Signal = z.union([z.boolean(), z.literal("unknown")]).openapi("Signal", {
  description: "Whether it is so. What could not be seen is `unknown`, never `false`.",
})

const SIGNAL_GROUPS: Readonly<Record<(typeof CATEGORIES)[number], [string, object]>> = {
  dns: ["How the name is served: addresses, name servers, DNSSEC, CAA.", { dns_resolves: true }],
  email: ["Who may send mail in its name: MX, SPF, DMARC.", { dmarc_enforced: true }],
  tls: ["Its certificate and its TLS.", { uses_https: true }],
  http: ["Redirects, HSTS and protections in headers.", { hsts_enabled: true }],
  content: ["The home page and a fixed set of standard pages.", { parked_page: false }],
  registration: ["Age, term and state, from the registry (RDAP).", { domain_age_over_5y: true }],
  identity: ["Who it says is behind it.", { org_matches_domain: "unknown" }],
  lexical: ["The name itself: look-alikes, mixed scripts.", { typosquat_of_brand: false }],
  reputation: ["Lists that the operator supplies.", { on_phishing_list: "unknown" }],
}

const Signals = z.object(
  Object.fromEntries(
    CATEGORIES.map((category) => [
      category,
      field(z.record(z.string(), Signal), ...SIGNAL_GROUPS[category]),
    ]),
  ) as Record<(typeof CATEGORIES)[number], z.ZodRecord<z.ZodString, typeof Signal>>,
)

const Insight = z
  .object({
    severity: field(
      z.enum(["positive", "neutral", "negative", "unknown"]),
      "Which way it counts; `unknown`: it could not be seen.",
      "positive",
    ),
    category: field(
      z.enum([...CATEGORIES, "score"]),
      "The group of its signals; `score`: about the sum itself.",
      "email",
    ),
    title: field(z.string(), "What was seen.", "DMARC tells receivers to reject forgeries."),
    evidence: field(z.array(z.string()), "Codes of the signals it rests on.", ["dmarc_enforced"]),
    impact: field(
      z.string(),
      "Why it counts as it does.",
      "Mail in its name that it did not send is turned away.",
    ),
    points: field(z.int(), "What it adds to the score, or takes from it.", 4),
  })
  .openapi("Insight", { description: "One thing that was seen, and what it counts." })

export const Analysis = z
  .object({
    domain: field(z.string(), "As it was asked for.", "https://www.Example.com/shop"),
    normalized_domain: field(z.string(), "What was looked at.", "example.com"),
    trust_score: field(
      z.int().min(0).max(100),
      "`base` and the points of all insights add up to it, exactly.",
      54,
    ),
    base: field(z.int(), "Where every domain starts.", 50),
    risk_level: field(z.enum(["low", "medium", "high", "critical"]), "The score in a word.", "low"),
    recommended_action: field(
      z.enum(["approve", "review", "reject"]),
      "What to do. Where little could be seen it is `review`, whichever way the score points.",
      "approve",
    ),
    confidence: field(
      z.number().min(0).max(1),
      "How much of what counts could be seen. Unknown lowers it, never the score.",
      0.78,
    ),
    summary: field(
      z.string(),
      "The verdict in one sentence.",
      "Well kept, with nothing against it.",
    ),
    signals: Signals.openapi({ description: "Every signal by group: true, false or `unknown`." }),
    insights: field(z.array(Insight), "What counted, each with its evidence and its points."),
    next_steps: field(z.array(z.string()), "What a person would check next.", [
      "Nothing stands against it.",
    ]),
    attestation: field(
      z.string(),
      "With `attest=true`: a compact JWS (RFC 7515, EdDSA) of score, points and observation digest. Its `exp` is the end of the observation's life.",
      "eyJhbGciOiJFZERTQSJ9.eyJ0cnVzdF9zY29yZSI6ODJ9.c2lnbmF0dXJl",
    ).optional(),
    metadata: z
      .object({
        request_id: requestId,
        environment,
        checked_at: time("When it was looked at."),
        cache: z
          .object({
            hit: field(z.boolean(), "Whether it was known already.", false),
            ttl_seconds: field(z.int().min(0), "How long it stays known.", 86_400),
          })
          .openapi({ description: "Whether this was seen now or before." }),
        version: field(z.string(), "Of the program.", "1.0.0"),
        ruleset: field(z.string(), "Version of rules and points.", "2026.11.1"),
        observation_digest: field(
          z.string(),
          "SHA-256 over the canonical JSON (RFC 8785) of what was seen.",
          "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ),
      })
      .openapi({ description: "About this answer." }),
  })
  .openapi("Analysis", { description: "The verdict on a domain, every point explained." })

export const VerdictKeys = z
  .object({
    keys: field(
      z.array(
        z.object({
          kty: field(z.string(), "RFC 8037.", "OKP"),
          crv: field(z.string(), "RFC 8037.", "Ed25519"),
          x: field(
            z.string(),
            "The public key, base64url.",
            "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
          ),
          kid: field(
            z.string(),
            "Names it: its thumbprint (RFC 7638).",
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
          ),
          alg: field(z.string(), "What it signs with.", "EdDSA"),
          use: field(z.string(), "Signatures.", "sig"),
        }),
      ),
      "One at a time.",
    ),
  })
  .openapi("VerdictKeys", { description: "A JWK Set (RFC 7517) with the public key of verdicts." })

export const UsageQuery = z.strictObject({
  month: z
    .string()
    .regex(/^[12]\d{3}-(0[1-9]|1[0-2])$/, "is not a month like 2026-11")
    .optional()
    .openapi({
      description: "A calendar month in UTC; this month without it.",
      example: "2026-11",
    }),
  format: z.enum(["json", "csv", "ndjson"]).optional().openapi({
    description: "Of the answer; without it, the header Accept decides.",
  }),
})

const counts = {
  requests: field(z.int(), "Answers, refused ones included.", 1_204),
  served: field(z.int(), "Those below 400.", 1_198),
  units: field(z.int(), "What they cost; test keys' cost nothing.", 1_198),
}

export const Usage = z
  .object({
    environment,
    plan: field(z.string(), "The tenant's plan.", "unlimited"),
    period: z
      .object({
        from: time("First moment.", "2026-11-01T00:00:00.000Z"),
        to: time("First moment after it.", "2026-12-01T00:00:00.000Z"),
      })
      .openapi({ description: "The month." }),
    charge: z
      .object({
        units: field(z.int(), "Charged for the month; what all of it adds up to.", 1_198),
        per_month: field(z.int().nullable(), "The plan's; `null`: any number.", 10_000),
        left: field(
          z.int().nullable(),
          "Of this month; `null` without a limit, and for months gone by.",
          8_802,
        ),
        soft: field(z.boolean(), "Past the limit, requests are served and counted.", false),
      })
      .openapi({ description: "What the month costs." }),
    total: z.object(counts).openapi({ description: "All of it." }),
    by_day: field(
      z.array(z.object({ day: field(z.iso.date(), "In UTC.", "2026-11-23"), ...counts })),
      "Days with any answer.",
    ),
    by_route: field(
      z.array(
        z.object({
          route: field(z.string(), "Method and path.", "GET /v1/analyze"),
          ...counts,
        }),
      ),
      "Routes with any answer.",
    ),
    by_key: field(
      z.array(
        z.object({
          key: field(z.string(), "Its id.", "key_01kar0v9z8fjrbh3p5t7wxyqm4"),
          ...counts,
        }),
      ),
      "Keys with any answer.",
    ),
    by_status: field(
      z.array(
        z.object({
          status: field(
            z.int().nullable(),
            "`null`: the request was admitted and its outcome is not known (yet).",
            200,
          ),
          requests: field(z.int(), "Answers with it.", 1_198),
          units: field(z.int(), "What they cost.", 1_198),
        }),
      ),
      "HTTP statuses that were answered.",
    ),
  })
  .openapi("Usage", { description: "What the key's tenant used in a month." })

const state = (description: string) => field(z.enum(["ok", "degraded", "down"]), description, "ok")

export const Health = z
  .object({
    status: state("The worst of all components."),
    version: field(z.string(), "Of the program.", "1.0.0"),
    components: field(
      z.record(
        z.string(),
        z.object({
          status: state("How it is."),
          since: time("When it came into this state."),
          message: field(z.string(), "What is so, and what to do where it is wrong.", "answers"),
        }),
      ),
      "By name.",
    ),
  })
  .openapi("Health", { description: "How the deployment is, component by component." })

export const Liveness = z
  .object({ status: field(z.enum(["ok", "unavailable"]), "Whether it does.", "ok") })
  .openapi("Liveness", { description: "Whether an instance lives, or takes requests." })

export const Metrics = z
  .object({
    window: field(
      z
        .object({
          from: time("First moment.", "2026-11-23T10:00:00.000Z"),
          to: time("First moment after it.", "2026-11-23T10:15:00.000Z"),
        })
        .nullable(),
      "Of the figures that are named recent; `null` while the database does not answer.",
    ),
    families: field(
      z.array(
        z.object({
          name: field(z.string(), "Of the family.", "zygentrust_requests_recent"),
          type: field(
            z.enum(["gauge", "counter", "histogram", "gaugehistogram", "info"]),
            "As OpenMetrics has it.",
            "gauge",
          ),
          help: field(z.string(), "What it is.", "Recorded answers of 15 minutes."),
          samples: field(
            z.array(
              z.object({
                name: field(z.string(), "With its suffix.", "zygentrust_requests_recent"),
                labels: field(z.record(z.string(), z.string()), "What it is of.", {
                  environment: "live",
                  route: "GET /v1/analyze",
                  status: "2xx",
                }),
                value: field(z.number(), "Its value.", 1_198),
              }),
            ),
            "Figures.",
          ),
        }),
      ),
      "Figures that belong together.",
    ),
  })
  .openapi("Metrics", { description: "Coarse figures of the deployment and of this instance." })

export type MetricsBody = z.infer<typeof Metrics>
export type AnalysisBody = z.infer<typeof Analysis>
export type UsageBody = z.infer<typeof Usage>
export type HealthBody = z.infer<typeof Health>
