/**
 * What a validating resolver says to a question, given all zones: CNAMEs followed, negative
 * answers with their SOA, SERVFAIL for what does not verify, and the troubles of some zones.
 */
import type { Question } from "dns-packet"
import type { DnsTrouble } from "../character.ts"
import type { DnsRecord } from "./records.ts"
import type { Zone } from "./zone.ts"

const CNAME_LIMIT = 8

export interface Wish {
  /** RRSIG and NSEC records too (the DO bit, RFC 3225). */
  readonly dnssec: boolean
  /** Answers that do not verify too (the CD bit, RFC 4035 §3.2.2). */
  readonly unchecked: boolean
}

export interface Resolution {
  readonly rcode: "NOERROR" | "NXDOMAIN" | "SERVFAIL"
  readonly answers: readonly DnsRecord[]
  readonly authorities: readonly DnsRecord[]
  /** Every zone on the way is signed, and verifies. */
  readonly authentic: boolean
}

export type Outcome = Resolution | Extract<DnsTrouble, "silent" | "malformed">

export interface TroubledZone extends Zone {
  readonly trouble?: DnsTrouble
}

export type Resolve = (question: Question, wish: Wish) => Outcome

const FAILED: Resolution = { rcode: "SERVFAIL", answers: [], authorities: [], authentic: false }

/** @param zones - All of them; `.` must be among them. */
export function createResolver(zones: readonly TroubledZone[]): Resolve {
  const byOrigin = new Map(zones.map((zone) => [zone.origin, zone]))
  const asked = new Map<string, number>()

  return (question, wish) => {
    const answers: DnsRecord[] = []
    let name = question.name.toLowerCase()
    let authentic = true
    for (let hop = 0; hop < CNAME_LIMIT; hop++) {
      const zone = zoneOf(name, question.type, byOrigin)
      if (zone?.trouble === "silent" || zone?.trouble === "malformed") return zone.trouble
      if (zone === undefined || zone.trouble === "servfail") return FAILED
      if (zone.signed === "bogus" && !wish.unchecked) return FAILED
      authentic &&= zone.signed === "valid"

      const node = zone.nodes.get(name)
      const rrset = node?.get(question.type)
      if (rrset && zone.trouble === "rebinding" && question.type === "A") {
        answers.push(...rebound(rrset, count(asked, name)))
        return { rcode: "NOERROR", answers, authorities: [], authentic: false }
      }
      if (rrset) {
        answers.push(...zone.withSignature(rrset, wish.dnssec))
        return { rcode: "NOERROR", answers, authorities: [], authentic }
      }
      const alias = node?.get("CNAME")
      if (!alias) {
        const { exists, records: authorities } = zone.denial(name, wish.dnssec)
        return { rcode: exists ? "NOERROR" : "NXDOMAIN", answers, authorities, authentic }
      }
      answers.push(...zone.withSignature(alias, wish.dnssec))
      name = targetOf(alias)
    }
    return FAILED
  }
}

/** The deepest zone that holds the name; DS is the parent's (RFC 4035 §3.1.4.1). */
function zoneOf(
  name: string,
  type: string,
  byOrigin: ReadonlyMap<string, TroubledZone>,
): TroubledZone | undefined {
  const labels = name.split(".")
  for (let skip = type === "DS" ? 1 : 0; skip < labels.length; skip++) {
    const zone = byOrigin.get(labels.slice(skip).join("."))
    if (zone) return zone
  }
  return byOrigin.get(".")
}

/** The public address once, with no time to live, then loopback and cloud metadata by turns. */
function rebound(rrset: readonly DnsRecord[], time: number): DnsRecord[] {
  const inside = time % 2 === 0 ? "127.0.0.1" : "169.254.169.254"
  return rrset.map((record) =>
    record.type === "A" ? { ...record, ttl: 0, data: time === 1 ? record.data : inside } : record,
  )
}

function count(counts: Map<string, number>, key: string): number {
  const time = (counts.get(key) ?? 0) + 1
  counts.set(key, time)
  return time
}

function targetOf(alias: readonly DnsRecord[]): string {
  const [record] = alias
  return record?.type === "CNAME" ? record.data : "."
}
