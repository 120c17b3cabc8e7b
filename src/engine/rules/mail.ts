/** Reading mail records: MX, SPF, and the tag lists of DMARC and its kin. Nothing here throws. */
import type { DnsRecord, Known, Observation } from "../types.ts"
import { zoneAnswer } from "./zone.ts"

/** Hosts that take mail. `null` is the explicit refusal of mail (RFC 7505 §3). */
export function mailHosts(observation: Observation): Known<readonly string[] | null> {
  const answer = zoneAnswer(observation, "mx")
  if ("unknown" in answer) return answer
  const hosts = answer.value.records.map(({ data }) =>
    (data.split(/\s+/)[1] ?? "").replace(/\.$/, ""),
  )
  if (hosts.length === 1 && hosts[0] === "") return { value: null }
  return { value: hosts.filter((host) => host !== "") }
}

export interface Spf {
  readonly text: string
  /** Mechanisms and modifiers that count: those after `all` are never reached. */
  readonly terms: readonly string[]
  /** Qualifier of the `all` mechanism (RFC 7208 §5.1), if there is one. */
  readonly all?: "+" | "-" | "~" | "?"
  /** `redirect=` counts, and its target was not read. */
  readonly redirected: boolean
}

/**
 * The SPF record (RFC 7208 §4.5).
 * @returns undefined without one; several are a permanent error, so none counts.
 */
export function spfOf(observation: Observation): Known<Spf | undefined> {
  const answer = zoneAnswer(observation, "txt")
  if ("unknown" in answer) return answer
  const texts = answer.value.records
    .map(({ data }) => data.trim())
    .filter((data) => /^v=spf1(\s|$)/i.test(data))
  const [text] = texts
  if (text === undefined || texts.length > 1) return { value: undefined }
  const terms = text.split(/\s+/).slice(1)
  const end = terms.findIndex((term) => /^[+\-~?]?all$/i.test(term))
  if (end < 0) {
    const redirected = terms.some((term) => /^redirect=/i.test(term))
    return { value: { text, terms, redirected } }
  }
  const all = (/^[+\-~?]/.exec(terms[end] ?? "")?.[0] ?? "+") as "+"
  return { value: { text, terms: terms.slice(0, end), redirected: false, all } }
}

/**
 * Reads `name=value` pairs parted by semicolons (RFC 7489 §6.4, RFC 8461 §3.1, RFC 8460 §3).
 * @param version - What the first pair must be, to the letter.
 * @returns Values by tag name in lower case; undefined for another kind of record.
 */
export function parseTags(text: string, version: string): ReadonlyMap<string, string> | undefined {
  const [first = "", ...rest] = text.split(";")
  if (first.replace(/\s/g, "") !== version) return undefined
  const tags = new Map<string, string>()
  for (const pair of rest) {
    const at = pair.indexOf("=")
    if (at < 1) continue
    const tag = pair.slice(0, at).trim().toLowerCase()
    if (!tags.has(tag)) tags.set(tag, pair.slice(at + 1).trim())
  }
  return tags
}

/** @returns The only record of that version; undefined without one, or with several. */
export function onlyTags(
  records: readonly DnsRecord[],
  version: string,
): { readonly text: string; readonly tags: ReadonlyMap<string, string> } | undefined {
  const found = allTags(records, version)
  return found.length === 1 ? found[0] : undefined
}

function allTags(records: readonly DnsRecord[], version: string) {
  return records.flatMap(({ data }) => {
    const tags = parseTags(data, version)
    return tags === undefined ? [] : [{ text: data, tags }]
  })
}

export interface Dmarc {
  readonly text: string
  /** What the owner asks to be done with mail that fails. */
  readonly policy: string
  /** Of a hundred failing messages, how many. */
  readonly percent: number
}

/**
 * The DMARC policy that holds for the host (RFC 7489 §6.3, §6.6.3): its own, or else that of the
 * organisational domain, where `sp` comes first. @returns undefined without a valid record.
 */
export function dmarcOf(observation: Observation): Known<Dmarc | undefined> {
  const { dns, name } = observation
  const own = name.shared ? undefined : dns.dmarcOfHost
  if (own !== undefined) {
    if ("unknown" in own) return own
    if (allTags(own.value.records, "v=DMARC1").length > 0) {
      return { value: readDmarc(own.value.records, "p") }
    }
  }
  const answer = zoneAnswer(observation, "dmarc")
  if ("unknown" in answer) return answer
  return { value: readDmarc(answer.value.records, name.host === name.registrable ? "p" : "sp") }
}

/** @param first - The tag that comes first for the host. */
function readDmarc(records: readonly DnsRecord[], first: "p" | "sp"): Dmarc | undefined {
  const record = onlyTags(records, "v=DMARC1")
  if (record === undefined) return undefined
  const { tags, text } = record
  const policy = (tags.get(first) ?? tags.get("p") ?? "").toLowerCase()
  const percent = /^\d{1,3}$/.test(tags.get("pct") ?? "") ? Number(tags.get("pct")) : 100
  if (["none", "quarantine", "reject"].includes(policy)) return { text, policy, percent }
  // A policy that cannot be read is none, provided that reports are wanted.
  return tags.has("rua") ? { text, policy: "none", percent } : undefined
}
