/** The DNS part of an observation: which names and types are asked for. */
import type { DnsAnswer, DnsObservation, Known, Name } from "../types.ts"
import type { Lookup } from "./dns-client.ts"
import type { RecordType } from "./dns-message.ts"
import { countSpfLookups } from "./spf.ts"

const MAX_NAME_SERVERS = 8

/** Asks for everything at once; each part is there as soon as it is known. Never rejects. */
export function observeDns(
  { host, registrable, shared }: Name,
  lookup: Lookup,
): { readonly [K in keyof DnsObservation]: Promise<DnsObservation[K]> } {
  const ask = (name: string, type: RecordType): Promise<Known<DnsAnswer>> =>
    shared ? Promise.resolve({ unknown: "platform" }) : lookup(name, type)

  const a = lookup(host, "A")
  const ns = ask(registrable, "NS")
  const mx = ask(registrable, "MX")
  const txt = ask(registrable, "TXT")
  return {
    a,
    aaaa: lookup(host, "AAAA"),
    ns,
    mx,
    txt,
    caa: ask(registrable, "CAA"),
    ds: ask(registrable, "DS"),
    dnskey: ask(registrable, "DNSKEY"),
    dmarc: ask(`_dmarc.${registrable}`, "TXT"),
    mtaSts: ask(`_mta-sts.${registrable}`, "TXT"),
    tlsRpt: ask(`_smtp._tls.${registrable}`, "TXT"),
    bimi: ask(`default._bimi.${registrable}`, "TXT"),
    nsAddresses: ns.then((answer) => nameServerAddresses(answer, lookup)),
    bogus: a.then((answer) => isBogus(host, answer, lookup)),
    spfLookups: txt.then((answer) => countSpfLookups(answer, lookup)),
  }
}

async function nameServerAddresses(
  ns: Known<DnsAnswer>,
  lookup: Lookup,
): Promise<DnsObservation["nsAddresses"]> {
  if ("unknown" in ns) return ns
  const servers = ns.value.records.slice(0, MAX_NAME_SERVERS).map(({ data }) => data)
  const answers = await Promise.all(
    servers.flatMap((server) => [lookup(server, "A"), lookup(server, "AAAA")]),
  )
  const addresses: Record<string, readonly string[]> = {}
  for (const [index, server] of servers.entries()) {
    const both = answers.slice(index * 2, index * 2 + 2)
    const known = both.flatMap((answer) => ("value" in answer ? answer.value.records : []))
    const unseen = both.find((answer) => "unknown" in answer)
    // An address more or less of a server that has one changes nothing; none at all might.
    if (known.length === 0 && unseen !== undefined && "unknown" in unseen) return unseen
    addresses[server] = known.map(({ data }) => data)
  }
  return { value: addresses }
}

/** Signatures that do not verify make a validating resolver fail, unless it is told not to check. */
async function isBogus(
  host: string,
  answer: Known<DnsAnswer>,
  lookup: Lookup,
): Promise<Known<boolean>> {
  if ("value" in answer) return { value: false }
  if (answer.unknown !== "servfail") return answer
  const unchecked = await lookup(host, "A", true)
  if ("value" in unchecked) return { value: true }
  return unchecked.unknown === "servfail" ? { value: false } : unchecked
}
