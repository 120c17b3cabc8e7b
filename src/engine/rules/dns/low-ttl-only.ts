import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { DnsRecord, Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { zoneAnswer } from "../zone.ts"

/**
 * Does all that was seen of the zone live for minutes only, its name servers included?
 * Short-lived addresses alone are ordinary; and a caching resolver tells what is left of a record's
 * life, so that one short value means nothing.
 */
export const lowTtlOnly: Rule = {
  code: "low_ttl_only",
  category: "dns",
  says: {
    true: "Lets all its records live for minutes only, name servers included",
    false: "Has records that live for longer",
  },
  judge: (observation) =>
    whenKnown(zoneAnswer(observation, "ns"), ({ records: servers }) => {
      if (servers.length === 0) return found(false)
      const others: DnsRecord[] = []
      for (const type of ["a", "mx", "txt"] as const) {
        const answer = observation.dns[type]
        if ("unknown" in answer) return unknown(answer.unknown)
        others.push(...answer.value.records)
      }
      const longest = Math.max(...[...servers, ...others].map(({ ttl }) => ttl))
      return found(
        others.length > 0 && longest <= THRESHOLDS.lowTtlSeconds,
        `the longest lives ${longest} s`,
      )
    }),
}
