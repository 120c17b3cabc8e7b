/**
 * The body of `GET /v1/analyze`, made once and completed for each request: only its request id,
 * cache hit and remaining seconds differ between two answers from the same observation.
 */
import type { LRUCache } from "lru-cache"
import type { Analysis } from "../analyses/analyst.ts"
import type { Environment } from "../db/database.ts"
import type { AnalysisBody } from "./contract.ts"

/** Answers that lie ready, by tenant and target as sent. A hit is still admitted and recorded. */
export type AnswerCache = LRUCache<string, AnalysisAnswer>

const REQUEST_ID = '"request_id":"'
const CACHE = '"cache":{"hit":'

export class AnalysisAnswer {
  readonly analysis: Analysis
  /** Of the text that is common to all, in UTF-16 units: what it costs to keep. */
  readonly size: number
  readonly #beforeId: string
  readonly #beforeCache: string
  readonly #end: string

  /** @param attestation - The signed verdict, where it was asked for. */
  constructor(
    domain: string,
    environment: Environment,
    version: string,
    analysis: Analysis,
    attestation?: string,
  ) {
    const { ruleset, observation_digest, ...verdict } = analysis.verdict
    const body: AnalysisBody = {
      domain,
      normalized_domain: analysis.name.host,
      trust_score: verdict.trust_score,
      base: verdict.base,
      risk_level: verdict.risk_level,
      recommended_action: verdict.recommended_action,
      confidence: verdict.confidence,
      summary: verdict.summary,
      signals: verdict.signals,
      insights: verdict.insights.map((insight) => ({
        ...insight,
        evidence: [...insight.evidence],
      })),
      next_steps: [...verdict.next_steps],
      ...(attestation !== undefined && { attestation }),
      metadata: {
        request_id: "",
        environment,
        checked_at: analysis.checkedAt,
        cache: { hit: false, ttl_seconds: 0 },
        version,
        ruleset,
        observation_digest,
      },
    }
    // Metadata comes last, and nothing of a stranger's is in it: so the last marks are ours.
    // All in ASCII, so that its length in bytes is known and it is sent without being encoded.
    const ascii = JSON.stringify(body).replaceAll(/[\u0080-\uffff]/g, escapeUnit)
    // Where there was something to escape, V8 keeps the text in two bytes a letter: it is copied anew.
    const text = Buffer.from(ascii, "latin1").toString("latin1")
    const id = text.lastIndexOf(REQUEST_ID) + REQUEST_ID.length
    const cache = text.lastIndexOf(CACHE) + CACHE.length
    this.#beforeId = text.slice(0, id)
    this.#beforeCache = text.slice(id, cache)
    this.#end = text.slice(text.indexOf("}", cache))
    this.size = text.length
    this.analysis = analysis
  }

  /**
   * @param requestId - `req_…`.
   * @param nowMs - Milliseconds since the epoch.
   * @returns The whole JSON text, in ASCII.
   */
  body(requestId: string, hit: boolean, nowMs: number): string {
    const ttlSeconds = Math.max(0, Math.floor((this.analysis.expiresAt - nowMs) / 1000))
    return `${this.#beforeId}${requestId}${this.#beforeCache}${hit},"ttl_seconds":${ttlSeconds}${this.#end}`
  }
}

/** @returns A UTF-16 code unit as JSON escapes it (RFC 8259 §7). */
function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
}
