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
  const checks: Promise<Known<boolean>>[] = []
  const ask = (of: string | Promise<string>, type: RecordType): Promise<Known<DnsAnswer>> => {
    const asked = Promise.resolve(of).then(async (at) => [at, await lookup(at, type)] as const)
    checks.push(asked.then(([at, answer]) => isBogus(at, type, answer, lookup)))
    return asked.then(([, answer]) => answer)
  }
  const askZone = (of: string, type: RecordType): Promise<Known<DnsAnswer>> =>
    shared ? Promise.resolve({ unknown: "platform" }) : ask(of, type)

  const site = siteHost(host, lookup)
  const ns = askZone(registrable, "NS")
  const txt = askZone(registrable, "TXT")
  const records = {
    a: ask(site, "A"),
    aaaa: ask(site, "AAAA"),
    ns,
    mx: askZone(registrable, "MX"),
    txt,
    caa: askZone(registrable, "CAA"),
    ds: askZone(registrable, "DS"),
    dnskey: askZone(registrable, "DNSKEY"),
    dmarc: askZone(`_dmarc.${registrable}`, "TXT"),
    ...(host === registrable ? {} : { dmarcOfHost: askZone(`_dmarc.${host}`, "TXT") }),
    mtaSts: askZone(`_mta-sts.${registrable}`, "TXT"),
    tlsRpt: askZone(`_smtp._tls.${registrable}`, "TXT"),
    bimi: askZone(`default._bimi.${registrable}`, "TXT"),
  }
  return {
    ...records,
    nsAddresses: ns.then((answer) => nameServerAddresses(answer, lookup)),
    bogus: Promise.all(checks).then(anyBogus),
    spfLookups: txt.then((answer) => countSpfLookups(answer, lookup)),
  }
}

/**
 * Where the site is: some have an address below `www.` alone.
 * @returns The host, or else `www.` before it. Unknown addresses are the host's. Never rejects.
 */
export async function siteHost(host: string, lookup: Lookup): Promise<string> {
  for (const answer of [lookup(host, "A"), lookup(host, "AAAA")]) {
    const seen = await answer
    // Below a name that does not exist there is nothing either (RFC 8020).
    const isEmpty =
      "value" in seen && seen.value.rcode === "NOERROR" && seen.value.records.length === 0
    if (!isEmpty) return host
  }
  const www = `www.${host}`
  const answers = await Promise.all([lookup(www, "A"), lookup(www, "AAAA")])
  const hasAddress = answers.some((seen) => "value" in seen && seen.value.records.length > 0)
  return hasAddress ? www : host
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
  name: string,
  type: RecordType,
  answer: Known<DnsAnswer>,
  lookup: Lookup,
): Promise<Known<boolean>> {
  if ("value" in answer) return { value: false }
  if (answer.unknown !== "servfail") return answer
  const unchecked = await lookup(name, type, true)
  if ("value" in unchecked) return { value: true }
  return unchecked.unknown === "servfail" ? { value: false } : unchecked
}

/** One record set may be bogus alone, and the one that was not seen might be it. */
function anyBogus(checks: readonly Known<boolean>[]): Known<boolean> {
  const bogus = checks.find((check) => "value" in check && check.value)
  return bogus ?? checks.find((check) => "unknown" in check) ?? { value: false }
}
