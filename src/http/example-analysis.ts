/**
 * The answers that the document shows for GET /v1/analyze: what the engine says of sandbox names,
 * under the rules of this version. Invariant: the same version gives the same examples.
 */

import { VERSION } from "../core/version.ts"
import { judge } from "../engine/judge.ts"
import { normalizeName } from "../engine/name.ts"
import { sandboxObservation } from "../engine/sandbox.ts"
import { AnalysisAnswer } from "./analysis-answer.ts"
import type { AnalysisBody } from "./contract.ts"
import { REQUEST_ID } from "./refusals.ts"

const CHECKED_AT = "2026-11-23T10:00:00.000Z"
const DAY_MS = 86_400_000

/** @param domain - A name that the sandbox knows. */
export function exampleAnalysis(domain: string): AnalysisBody {
  const checkedAtMs = Date.parse(CHECKED_AT)
  const observation = sandboxObservation(normalizeName(domain), new Date(checkedAtMs))
  const answer = new AnalysisAnswer(domain, "test", VERSION, {
    name: observation.name,
    verdict: judge(observation),
    checkedAt: CHECKED_AT,
    expiresAt: checkedAtMs + DAY_MS,
  })
  return JSON.parse(answer.body(REQUEST_ID, false, checkedAtMs))
}
