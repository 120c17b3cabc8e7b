/**
 * Observation → verdict: every rule is asked, every finding gets its points, the sum is the score.
 *
 * Invariants: `base` + Σ `insights.points` = `trust_score`, 0 to 100; what is unknown has no points
 * and lowers confidence alone; the same observation under the same ruleset gives the same bytes,
 * anywhere (no clock, no locale, no randomness).
 */
import { hash } from "node:crypto"
import { canonicalJson } from "../core/canonical-json.ts"
import type { Told, Unseen } from "./advice.ts"
import { nextSteps, summarize, unseenTitle } from "./advice.ts"
import type { Worth } from "./points.ts"
import { BASE, POINTS, RULESET } from "./points.ts"
import { shortened } from "./rules/finding.ts"
import { RULES } from "./rules/rules.ts"
import type { Category, Finding, Insight, Observation, Rule, Verdict, Why } from "./types.ts"

/** Scores from which a level begins; below the last it is critical. */
const LEVELS = [
  { from: 75, level: "low", action: "approve" },
  { from: 50, level: "medium", action: "review" },
  { from: 25, level: "high", action: "review" },
] as const
const LOWEST = { level: "critical", action: "reject" } as const

/** Below this share of what counts, a person decides: what was not seen cannot be approved… */
const APPROVE_CONFIDENCE = 0.67
/** …and a negative with low confidence is never more than review (the API's contract). */
const REJECT_CONFIDENCE = 0.5

/** One finding this heavy against a name asks for a person, whatever else speaks for it. */
const BARS_APPROVAL = -20

const MAX_SEEN_IN_TITLE = 60

interface Judged {
  readonly rule: Rule
  readonly finding: Finding
}

const TOTAL_WEIGHT = weightOf(RULES.map(({ code }) => code))

/** Pure. @throws TypeError for an observation that has no canonical JSON form (RFC 8785). */
export function judge(observation: Observation): Verdict {
  const judged = RULES.map((rule) => ({ rule, finding: rule.judge(observation) }))
  const told = judged.map(toldOf).filter((finding) => finding !== undefined)
  told.sort(byWeight)
  const unseen = groupUnseen(judged)

  const raw = told.reduce((sum, { points }) => sum + points, BASE)
  const trust_score = Math.min(100, Math.max(0, raw))
  const unseenWeight = unseen.reduce((sum, { weight }) => sum + weight, 0)
  const confidence = Math.round(100 * (1 - unseenWeight / TOTAL_WEIGHT)) / 100
  const { level, action } = decide(
    trust_score,
    confidence,
    Math.min(...told.map(({ points }) => points)),
  )
  const insights = [
    ...told.map(insightOf),
    ...(raw === trust_score ? [] : [bound(raw, trust_score)]),
    ...unseen.map(({ insight }) => insight),
  ]
  return {
    trust_score,
    base: BASE,
    risk_level: level,
    recommended_action: action,
    confidence,
    summary: summarize({ trust_score, risk_level: level, confidence }, told),
    signals: signalsOf(judged),
    insights: insights.sort(byPoints),
    next_steps: nextSteps(action, told, unseen),
    ruleset: RULESET,
    observation_digest: digestOf(observation),
  }
}

/** @returns `sha256:` and hex, over the observation's canonical JSON. */
function digestOf(observation: Observation): string {
  return `sha256:${hash("sha256", canonicalJson(observation))}`
}

/**
 * So a name that does not exist is reviewed, not rejected: little of it can be seen.
 * @param worst - Points of the heaviest finding against it.
 */
function decide(
  score: number,
  confidence: number,
  worst: number,
): { level: Verdict["risk_level"]; action: Verdict["recommended_action"] } {
  const { level, action } = LEVELS.find(({ from }) => score >= from) ?? LOWEST
  const unsure = confidence < (action === "approve" ? APPROVE_CONFIDENCE : REJECT_CONFIDENCE)
  const barred = action === "approve" && worst <= BARS_APPROVAL
  return { level, action: unsure || barred ? "review" : action }
}

interface ToldSeen extends Told {
  readonly because: string
  readonly seen: string | undefined
}

/** @returns undefined for what is unknown, and for what weighs nothing and is not so. */
function toldOf({ rule, finding }: Judged): ToldSeen | undefined {
  if (finding.state === "unknown") return undefined
  const { code, category, says } = rule
  const { state, seen } = finding
  const worth = worthOf(code)
  const points = state ? worth.true : worth.false
  const weightless = worth.true === 0 && worth.false === 0
  if (points === 0 && !(state && weightless)) return undefined
  const { because } = worth
  return { code, category, state, points, because, says: state ? says.true : says.false, seen }
}

function insightOf({ code, category, points, because, says, seen }: ToldSeen): Insight {
  return {
    severity: points > 0 ? "positive" : points < 0 ? "negative" : "neutral",
    category,
    title: seen === undefined ? says : `${says}: ${shortened(seen, MAX_SEEN_IN_TITLE)}`,
    evidence: [code],
    impact: because,
    points,
  }
}

/** Says in so many words that the sum was out of range, so that the points still add up. */
function bound(raw: number, score: number): Insight {
  const over = raw > score
  return {
    severity: "neutral",
    category: "score",
    title: over ? "The score ends at 100" : "The score ends at 0",
    evidence: [over ? "score_ceiling" : "score_floor"],
    impact: `The points add up to ${raw}; this brings them back into the range.`,
    points: score - raw,
  }
}

interface UnseenGroup extends Unseen {
  readonly weight: number
  readonly insight: Insight
}

/** What could not be seen, together by category and reason, weightiest first. */
function groupUnseen(judged: readonly Judged[]): UnseenGroup[] {
  const groups = new Map<string, { category: Category; because: Why; codes: string[] }>()
  for (const { rule, finding } of judged) {
    if (finding.state !== "unknown") continue
    const { category, code } = rule
    const key = `${category} ${finding.because}`
    const group = groups.get(key) ?? { category, because: finding.because, codes: [] }
    group.codes.push(code)
    groups.set(key, group)
  }
  return [...groups.values()]
    .map(({ category, because, codes }) => ({
      category,
      because,
      weight: weightOf(codes),
      insight: {
        severity: "unknown" as const,
        category,
        title: unseenTitle(category, because, codes.length === SIZE.get(category)),
        evidence: codes,
        impact: "Lowers the confidence, never the score.",
        points: 0,
      },
    }))
    .sort((a, b) => b.weight - a.weight)
}

/** How many rules a category has. */
const SIZE = new Map<Category, number>()
for (const { category } of RULES) SIZE.set(category, (SIZE.get(category) ?? 0) + 1)

function signalsOf(judged: readonly Judged[]): Verdict["signals"] {
  const signals: Record<Category, Record<string, boolean | "unknown">> = {
    dns: {},
    email: {},
    tls: {},
    http: {},
    content: {},
    registration: {},
    identity: {},
    lexical: {},
    reputation: {},
  }
  for (const { rule, finding } of judged) signals[rule.category][rule.code] = finding.state
  return signals
}

/** The weight of a rule is the most that it can move the score by. */
function weightOf(codes: readonly string[]): number {
  return codes.reduce((sum, code) => {
    const worth = worthOf(code)
    return sum + Math.max(Math.abs(worth.true), Math.abs(worth.false))
  }, 0)
}

function worthOf(code: string): Worth {
  const worth = POINTS[code]
  if (worth === undefined) throw new TypeError(`${code} has no points`)
  return worth
}

function byWeight(a: Told, b: Told): number {
  return Math.abs(b.points) - Math.abs(a.points) || (a.code < b.code ? -1 : 1)
}

/** The sort is stable: equal points keep the order of their codes, the unseen that of their weight. */
function byPoints(a: Insight, b: Insight): number {
  return Math.abs(b.points) - Math.abs(a.points)
}
