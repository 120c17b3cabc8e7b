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
  domain: string,
  txt: Known<DnsAnswer>,
  lookup: Lookup,
): Promise<Known<number>> {
  if ("unknown" in txt) return txt
  let count = 0
  // Breadth first, so that everything of one depth is asked for at once.
  let records = [{ record: spfRecord(txt.value), path: [domain] }]
  while (records.length > 0 && count < MAX_COUNTED) {
    const further = records.flatMap(({ record, path }) => {
      const { queries, targets } = readTerms(record ?? "")
      count += queries
      // A loop would be counted without end by a receiver: past any limit.
      if (targets.some((target) => path.includes(target))) count = MAX_COUNTED
      return targets.map((target) => ({ target, path: [...path, target] }))
    })
    if (count >= MAX_COUNTED) break
    const answers = await Promise.all(further.map(({ target }) => lookup(target, "TXT")))
    records = []
    for (const [index, answer] of answers.entries()) {
      if ("unknown" in answer) return answer
      records.push({ record: spfRecord(answer.value), path: further[index]?.path ?? [] })
    }
  }
  return { value: Math.min(count, MAX_COUNTED) }
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
