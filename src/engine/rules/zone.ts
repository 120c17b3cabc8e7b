/**
 * Reading DNS answers.
 *
 * Invariant: of a name on a shared platform, what the zone says is the platform's: unknown.
 */
import type { DnsAnswer, DnsObservation, DnsRecord, Known, Observation } from "../types.ts"

type AnswerOf = Exclude<
  keyof DnsObservation,
  "nsAddresses" | "bogus" | "spfLookups" | "dmarcOfHost"
>

/**
 * What the registrable domain's zone holds.
 * @returns Unknown for a domain that does not exist: it says nothing, good or bad.
 */
export function zoneAnswer({ dns, name }: Observation, type: AnswerOf): Known<DnsAnswer> {
  if (name.shared) return { unknown: "platform" }
  const gone = "value" in dns.ns && dns.ns.value.rcode === "NXDOMAIN"
  return gone ? { unknown: "not_offered" } : dns[type]
}

/** @returns Address records of the host, of both families, as far as both were seen. */
export function addresses({ dns: { a, aaaa } }: Observation): Known<readonly DnsRecord[]> {
  const records = [a, aaaa].flatMap((answer) => ("value" in answer ? answer.value.records : []))
  if (records.length > 0) return { value: records }
  if ("unknown" in a) return a
  return "unknown" in aaaa ? aaaa : { value: [] }
}
