/**
 * Reading certificates.
 *
 * Invariant: on a shared platform, a certificate that does not name the host itself is the
 * platform's, and what it says of its holder is not about this name: unknown.
 */
import type { CertificateFacts, Finding, Observation, TlsObservation } from "../types.ts"
import { unknown, whenKnown } from "./finding.ts"

const DAY_MS = 86_400_000

/** @returns Days from one RFC 3339 time to another; NaN where one does not parse. */
export function daysBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / DAY_MS
}

/** Judges what a certificate says of its holder. */
export function whenItsOwn(
  observation: Observation,
  judge: (tls: TlsObservation, certificate: CertificateFacts) => Finding,
): Finding {
  const { name, tls } = observation
  return whenKnown(tls, (seen) => {
    const { certificate } = seen
    const own = !name.shared || certificate.dnsNames.includes(name.host)
    return own ? judge(seen, certificate) : unknown("platform")
  })
}
