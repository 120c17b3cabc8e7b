/**
 * One zone: its records by owner and type, its answers to what is not there, and the signatures
 * over both. A zone knows its delegations, not what lies behind them.
 */

import type { DnsRecord } from "./records.ts"
import { parseRecord } from "./records.ts"
import type { Signer } from "./sign.ts"
import { createSigner } from "./sign.ts"

const TTL = 3600
const NEGATIVE_TTL = 300

export interface ZoneSource {
  /** `.` for the root. */
  readonly origin: string
  readonly records: readonly string[]
  readonly signed?: "valid" | "bogus"
}

export interface Zone {
  readonly origin: string
  readonly signed?: "valid" | "bogus"
  readonly signer?: Signer
  /** RRsets by owner, then type. Only `delegate` adds to it. */
  readonly nodes: ReadonlyMap<string, ReadonlyMap<string, readonly DnsRecord[]>>
  /** Makes a child known: its NS, and its DS where it is signed. */
  delegate(child: Zone): void
  /** With their RRSIG, where the zone is signed and that is wanted. */
  withSignature(rrset: readonly DnsRecord[], wanted: boolean): readonly DnsRecord[]
  /** SOA, and where wanted the NSEC records that prove that the name or the type is not there. */
  denial(name: string, wanted: boolean): { exists: boolean; records: readonly DnsRecord[] }
}

export function createZone(source: ZoneSource, now: Date): Zone {
  const { origin, signed } = source
  const signer = signed && createSigner(origin, now, signed === "bogus")
  const nodes = new Map<string, Map<string, DnsRecord[]>>()
  const add = (record: DnsRecord) => {
    const node = nodes.getOrInsertComputed(record.name, () => new Map<string, DnsRecord[]>())
    node.getOrInsertComputed(record.type, () => []).push(record)
  }
  const common = { name: origin, class: "IN", ttl: TTL } as const
  const soa: DnsRecord = {
    ...common,
    ttl: NEGATIVE_TTL,
    type: "SOA",
    data: {
      mname: "ns1.dns-one.test",
      rname: "hostmaster.dns-one.test",
      serial: 1,
      refresh: 7200,
      retry: 900,
      expire: 1_209_600,
      minimum: NEGATIVE_TTL,
    },
  }
  add(soa)
  if (signer) add({ ...common, type: "DNSKEY", data: signer.dnskey })
  for (const line of source.records) add(parseRecord(line, origin, TTL))
  if (!nodes.get(origin)?.has("NS")) {
    add({ ...common, type: "NS", data: "ns1.dns-one.test" })
    add({ ...common, type: "NS", data: "ns2.dns-two.test" })
  }

  const withSignature = (rrset: readonly DnsRecord[], wanted: boolean) =>
    signer && wanted ? [...rrset, signer.sign(rrset)] : rrset

  /** The NSEC record at the last owner that is not behind `name` (RFC 4034 §4). */
  const nsecBefore = (name: string): DnsRecord => {
    const owners = [...nodes.keys()].sort(canonicalOrder)
    const at = owners.findLastIndex((owner) => canonicalOrder(owner, name) <= 0)
    const owner = owners[at] ?? origin
    const rrtypes = [...(nodes.get(owner)?.keys() ?? []), "NSEC", "RRSIG"]
    const nextDomain = owners[at + 1] ?? origin
    return {
      name: owner,
      type: "NSEC",
      class: "IN",
      ttl: NEGATIVE_TTL,
      data: { nextDomain, rrtypes },
    }
  }

  return {
    origin,
    ...(signed && { signed }),
    ...(signer && { signer }),
    nodes,
    delegate(child) {
      for (const record of child.nodes.get(child.origin)?.get("NS") ?? []) add(record)
      if (child.signer) add({ ...common, name: child.origin, type: "DS", data: child.signer.ds })
    },
    withSignature,
    denial(name, wanted) {
      const encloser = closestEncloser(name, [...nodes.keys()])
      const exists = encloser === name
      const records = [...withSignature([soa], wanted)]
      if (signer && wanted) {
        const proofs = exists ? [name] : [name, `*.${encloser}`]
        const nsecs = new Map(proofs.map(nsecBefore).map((nsec) => [nsec.name, nsec]))
        for (const nsec of nsecs.values()) records.push(...withSignature([nsec], true))
      }
      return { exists, records }
    },
  }
}

/** The longest suffix of `name` at or above an owner: empty non-terminals exist (RFC 4592 §2.2.2). */
function closestEncloser(name: string, owners: readonly string[]): string {
  for (let at = name; ; at = at.slice(at.indexOf(".") + 1)) {
    if (owners.some((owner) => owner === at || owner.endsWith(`.${at}`))) return at
    if (!at.includes(".")) return "."
  }
}

/** RFC 4034 §6.1, for names in lower-case ASCII: label by label from the right. */
export function canonicalOrder(a: string, b: string): number {
  const [left, right] = [a, b].map((name) => name.split(".").reverse())
  for (const [i, label] of (left ?? []).entries()) {
    const other = right?.[i]
    if (other === undefined || label > other) return 1
    if (label < other) return -1
  }
  return (left?.length ?? 0) - (right?.length ?? 0)
}
