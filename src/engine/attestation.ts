/**
 * Signed verdicts: a JWS (RFC 7515, compact) with Ed25519 (RFC 8037), which anyone can verify
 * offline with the deployment's published key.
 *
 * Owns: the claims and the signature. Not: where the private key lies (secrets/).
 */
import type { JSONWebKeySet } from "jose"
import {
  CompactSign,
  calculateJwkThumbprint,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  importPKCS8,
} from "jose"
import { canonicalJson } from "../core/canonical-json.ts"
import type { Name, Verdict } from "./types.ts"

const ALGORITHM = "EdDSA"

/** What is signed, as canonical JSON (RFC 8785). Times are seconds since the epoch (RFC 7519 §2). */
export interface Attested {
  /** Origin of the deployment. */
  readonly iss: string
  readonly name: Name
  readonly verdict: Verdict
  /** RFC 3339: when it was observed. */
  readonly checkedAt: string
  /** Until when the observation is good. */
  readonly exp: number
}

export interface Attestor {
  /** The public half, to be published (RFC 7517). */
  readonly jwks: JSONWebKeySet
  /** @returns A compact JWS. */
  sign(attested: Attested): Promise<string>
}

async function importKey(privateKey: string) {
  const key = await importPKCS8(privateKey, ALGORITHM, { extractable: true })
  const { kty, crv, x } = await exportJWK(key)
  const bare = { kty: kty ?? "OKP", crv: crv ?? "Ed25519", x: x ?? "" }
  const kid = await calculateJwkThumbprint(bare) // RFC 7638
  return { key, kid, jwk: { ...bare, kid, alg: ALGORITHM, use: "sig" } }
}

/** @returns A new private key, PKCS #8 in PEM. */
export async function generateVerdictKey(): Promise<string> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true })
  return exportPKCS8(privateKey)
}

/**
 * @param privateKey - PKCS #8 in PEM, of an Ed25519 key: signs.
 * @param others - Keys that are only published: verdicts they signed are still good, or will be.
 */
export async function createAttestor(
  privateKey: string,
  others: readonly string[] = [],
): Promise<Attestor> {
  const [{ key, kid, jwk }, ...more] = await Promise.all([
    importKey(privateKey),
    ...others.map(importKey),
  ])
  return {
    jwks: { keys: [jwk, ...more.map((other) => other.jwk)] },
    sign({ iss, name, verdict, checkedAt, exp }) {
      const { trust_score, base, risk_level, recommended_action, confidence } = verdict
      const claims = canonicalJson({
        iss,
        sub: name.host,
        iat: Math.floor(Date.parse(checkedAt) / 1000),
        exp,
        trust_score,
        base,
        risk_level,
        recommended_action,
        confidence,
        points: verdict.insights
          .filter((insight) => insight.points !== 0)
          .map((insight) => ({ evidence: [...insight.evidence], points: insight.points })),
        ruleset: verdict.ruleset,
        observation_digest: verdict.observation_digest,
      })
      return new CompactSign(new TextEncoder().encode(claims))
        .setProtectedHeader({ alg: ALGORITHM, kid, typ: "zt-verdict+jwt" })
        .sign(key)
    },
  }
}
