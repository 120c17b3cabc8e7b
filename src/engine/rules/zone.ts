/**
 * Reading DNS answers.
 *
 * Invariant: of a name on a shared platform, what the zone says is the platform's: unknown.
 */
import type { DnsAnswer, DnsObservation, DnsRecord, Known, Observation } from "../types.ts"

type AnswerOf = Exclude<keyof DnsObservation, "nsAddresses" | "bogus" | "spfLookups">

/** What the registrable domain's zone holds. */
export function zoneAnswer({ dns, name }: Observation, type: AnswerOf): Known<DnsAnswer> {
  return name.shared ? { unknown: "platform" } : dns[type]
}

/**
 * What the registrable domain says of its mail.
 * @returns Unknown for a domain that does not exist: it says nothing of mail, good or bad.
 */
export function mailRecords(observation: Observation, type: AnswerOf): Known<readonly DnsRecord[]> {
  const answer = zoneAnswer(observation, type)
  if ("unknown" in answer) return answer
  const { mx } = observation.dns
  if ("value" in mx && mx.value.rcode === "NXDOMAIN") return { unknown: "not_offered" }
  return { value: answer.value.records }
}

/** @returns Address records of the host, of both families, as far as both were seen. */
export function addresses({ dns: { a, aaaa } }: Observation): Known<readonly DnsRecord[]> {
  const records = [a, aaaa].flatMap((answer) => ("value" in answer ? answer.value.records : []))
  if (records.length > 0) return { value: records }
  if ("unknown" in a) return a
  return "unknown" in aaaa ? aaaa : { value: [] }
}
