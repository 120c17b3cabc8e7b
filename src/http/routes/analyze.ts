/** GET /v1/analyze: whether a domain can be trusted, every point explained. Costs one unit. */

import { setTimeout as sleep } from "node:timers/promises"
import { createRoute, OpenAPIHono } from "@hono/zod-openapi"
import type { Analysis } from "../../analyses/analyst.ts"
import { Problem } from "../../core/problem.ts"
import { normalizeName } from "../../engine/name.ts"
import { sandboxBehaviour } from "../../engine/sandbox.ts"
import type { Name } from "../../engine/types.ts"
import type { AnswerCache } from "../analysis-answer.ts"
import { AnalysisAnswer } from "../analysis-answer.ts"
import { Analysis as AnalysisBody, AnalyzeQuery, VerdictKeys } from "../contract.ts"
import { exampleAnalysis } from "../example-analysis.ts"
import { metered } from "../metered.ts"
import type { AppEnv, Parts } from "../parts.ts"
import { answer, EVERYWHERE, KEYED, refusals } from "../refusals.ts"

const route = createRoute({
  method: "get",
  path: "/v1/analyze",
  operationId: "analyzeDomain",
  tags: ["Analyse"],
  summary: "Can I trust this domain?",
  description:
    "A deterministic score from public evidence alone: DNS, TLS, HTTP, the page's head, a fixed set of pages, registration data. A domain that does not exist or cannot be reached is an answer, not an error.",
  request: { query: AnalyzeQuery },
  responses: {
    200: answer("The verdict.", AnalysisBody, {
      "approve.test": {
        summary: "A well-kept site",
        value: exampleAnalysis("approve.test"),
      },
      "reject.test": {
        summary: "Much against it",
        value: exampleAnalysis("reject.test"),
      },
    }),
    ...refusals(...KEYED, "INVALID_DOMAIN", "QUOTA_EXCEEDED"),
  },
})

const verdictKeys = createRoute({
  method: "get",
  path: "/.well-known/jwks.json",
  operationId: "getVerdictKeys",
  tags: ["Analyse"],
  summary: "The key that verdicts are signed with",
  description: "A JWK Set, to verify `attestation` offline.",
  security: [],
  responses: { 200: answer("The public key.", VerdictKeys), ...refusals(...EVERYWHERE) },
})

export function analyzeRoutes(parts: Parts, answers: AnswerCache): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>()
  app.openAPIRegistry.registerPath(route)
  app.get(
    route.path,
    metered(parts, {
      route: "GET /v1/analyze",
      query: AnalyzeQuery,
      async work({ domain, fresh, attest }, { environment, tenantId, requestId, target }) {
        const name = normalizeName(domain)
        if (environment === "test") await rehearse(name)
        const asker = { environment, tenantId }
        const { analysis, hit } = await parts.analyst.analyze(asker, name, fresh === "true")
        const attestation = attest === "true" ? await sign(parts, analysis) : undefined
        const answer = new AnalysisAnswer(domain, environment, parts.version, analysis, attestation)
        if (environment === "live" && fresh !== "true") answers.set(`${tenantId} ${target}`, answer)
        return { body: answer.body(requestId, hit, parts.now()), cacheHit: hit }
      },
    }),
  )
  app.openAPIRegistry.registerPath(verdictKeys)
  app.get(verdictKeys.path, (c) => {
    c.header("cache-control", "public, max-age=3600")
    return c.json(parts.attestor.jwks)
  })
  return app
}

function sign({ attestor, origin }: Parts, analysis: Analysis): Promise<string> {
  const { name, verdict, checkedAt, expiresAt } = analysis
  const exp = Math.floor(expiresAt / 1000)
  return attestor.sign({ iss: origin, name, verdict, checkedAt, exp })
}

/** Plays what a sandbox name stands for besides its verdict: `slow.test`, `error.test` and so on. */
async function rehearse(name: Name): Promise<void> {
  const { delayMs = 0, problem } = sandboxBehaviour(name)
  await sleep(delayMs)
  if (problem !== undefined) throw new Problem(problem, { retryAfterSeconds: 60 })
}
