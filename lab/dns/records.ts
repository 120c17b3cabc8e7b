/** Records as lines of text (RFC 1035 §5.1, the part that the lab needs) → what dns-packet takes. */
import type { Answer as DnsAnswer } from "dns-packet"

/** A record with the fields that matter here, for any type; dns-packet's own union fits it. */
export type DnsRecord = Exclude<DnsAnswer, { type: "OPT" }>

/**
 * Reads `owner type data`; `@` is the apex, names are relative to it unless they end in a dot.
 * Data names are absolute with or without the dot, since the lab's lines never want otherwise.
 */
export function parseRecord(line: string, origin: string, ttl: number): DnsRecord {
  const match = /^(\S+) ([A-Z]+) (.+)$/.exec(line)
  const [, owner = "", type, data = ""] = match ?? []
  const common = { name: ownerName(owner, origin), ttl, class: "IN" } as const
  const words = data.split(" ")
  switch (type) {
    case "A":
    case "AAAA":
      return { ...common, type, data }
    case "CNAME":
    case "NS":
      return { ...common, type, data: data === "@" ? origin : data }
    case "MX":
      return { ...common, type, data: { preference: Number(words[0]), exchange: words[1] ?? "." } }
    case "TXT":
      return { ...common, type, data: characterStrings(data) }
    case "CAA": {
      const [flags, tag, value = ""] = words
      if (tag !== "issue" && tag !== "issuewild" && tag !== "iodef") break
      return { ...common, type, data: { flags: Number(flags), tag, value } }
    }
  }
  throw new TypeError(`not a record of the lab: ${line}`)
}

function ownerName(owner: string, origin: string): string {
  if (owner === "@") return origin
  return owner.endsWith(".") ? owner.slice(0, -1) : `${owner}.${origin}`
}

/** Cut into strings of 255 bytes (RFC 1035 §3.3). */
function characterStrings(text: string): Buffer[] {
  const bytes = Buffer.from(text)
  const strings: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 255) strings.push(bytes.subarray(at, at + 255))
  return strings
}
