/**
 * How many DNS queries a domain's SPF record costs its receivers (RFC 7208 §4.6.4).
 *
 * Only counts: a message is never evaluated, so every mechanism is taken not to match, which is
 * the longest way through the record. Counting stops soon past the limit of ten.
 */
import type { DnsAnswer, Known } from "../types.ts"
import type { Lookup } from "./dns-client.ts"

const MAX_COUNTED = 20
const MAX_TERMS = 100

/** @returns The SPF record among TXT records, if there is exactly one (RFC 7208 §4.5). */
export function spfRecord(txt: DnsAnswer): string | undefined {
  const records = txt.records.filter(({ data }) => /^v=spf1( |$)/i.test(data))
  return records.length === 1 ? records[0]?.data : undefined
}

/**
 * @param txt - The domain's own TXT answer.
 * @returns Terms that query DNS, nested ones too: 0 without a record, 20 for that many or more.
 */
export async function countSpfLookups(
  txt: Known<DnsAnswer>,
  lookup: Lookup,
): Promise<Known<number>> {
  if ("unknown" in txt) return txt
  let count = 0
  // Breadth first, so that everything of one depth is asked for at once; a loop ends at the cap.
  let records = [spfRecord(txt.value)]
  while (records.length > 0) {
    const terms = records.map((record) => readTerms(record ?? ""))
    count += terms.reduce((sum, { queries }) => sum + queries, 0)
    if (count >= MAX_COUNTED) return { value: MAX_COUNTED }
    const targets = terms.flatMap((each) => each.targets)
    records = []
    for (const answer of await Promise.all(targets.map((target) => lookup(target, "TXT")))) {
      if ("unknown" in answer) return answer
      records.push(spfRecord(answer.value))
    }
  }
  return { value: count }
}

/**
 * @returns How many of a record's terms query DNS, and the domains whose records belong to it.
 *   Terms after `all` are never reached, and with `all` there is no redirect (RFC 7208 §6.1).
 */
export function readTerms(record: string): { queries: number; targets: string[] } {
  const targets: string[] = []
  let queries = 0
  let redirect: string | undefined
  for (const term of record.toLowerCase().split(/ +/).slice(1, MAX_TERMS)) {
    const [, mechanism = "", domain] =
      /^[+\-~?]?([a-z]+)(?:[:=]([^/]*))?(?:\/.*)?$/.exec(term) ?? []
    if (mechanism === "all") return { queries, targets }
    if (["include", "a", "mx", "ptr", "exists"].includes(mechanism)) queries++
    if (mechanism === "include" && domain !== undefined) targets.push(...plainDomain(domain))
    if (mechanism === "redirect" && term.startsWith("redirect=")) redirect = domain
  }
  if (redirect === undefined) return { queries, targets }
  return { queries: queries + 1, targets: [...targets, ...plainDomain(redirect)] }
}

/** Macros need a message to expand, and a name that is none cannot be asked for. */
function plainDomain(domain: string): string[] {
  const name = domain.replace(/\.$/, "")
  const isName = name.length <= 253 && /^([a-z0-9_-]{1,63}\.)+[a-z0-9-]{1,63}$/.test(name)
  return isName ? [name] : []
}
