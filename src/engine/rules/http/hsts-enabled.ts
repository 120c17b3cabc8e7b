import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { header, isChallenge, isOwn, obstacle, unseenTarget } from "../site.ts"

/** Does the site keep browsers on HTTPS for half a year or more? */
export const hstsEnabled: Rule = {
  code: "hsts_enabled",
  category: "http",
  says: {
    true: "Keeps browsers on HTTPS (HSTS)",
    false: "Does not keep browsers on HTTPS for long (HSTS)",
  },
  judge: ({ http, name }) =>
    whenKnown(http.secure, (visit) => {
      const own = visit.hops.filter(({ url }) => url.startsWith("https:") && isOwn(url, name))
      // Of several header fields the first counts (RFC 6797 §8.1).
      const sent = own.flatMap((hop) => header(hop, "strict-transport-security").slice(0, 1))
      const enabled = sent.find((value) => parseMaxAge(value) >= THRESHOLDS.hstsSeconds)
      if (enabled !== undefined) return found(true, enabled)
      const last = own.at(-1)
      if (last === undefined) return unknown("not_observed")
      if (isChallenge(last)) return unknown("challenge")
      const why = unseenTarget(visit) ?? obstacle(last.status)
      return why === undefined ? found(false, sent[0]) : unknown(why)
    }),
}

/**
 * Reads `max-age` from a Strict-Transport-Security value (RFC 6797 §6.1).
 * @returns Seconds; 0 when absent or malformed. Never throws.
 */
export function parseMaxAge(value: string): number {
  const seen = new Set<string>()
  let maxAge = 0
  for (const directive of value.split(";")) {
    const [name = "", ...rest] = directive.split("=")
    const key = name.trim().toLowerCase()
    if (key === "") continue
    if (seen.has(key)) return 0
    seen.add(key)
    if (key !== "max-age") continue
    const digits = /^\s*(?:"(\d{1,15})"|(\d{1,15}))\s*$/.exec(rest.join("="))
    if (digits === null) return 0
    maxAge = Number(digits[1] ?? digits[2])
  }
  return maxAge
}
