import type { Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { zoneAnswer } from "../zone.ts"

/** Is the zone signed, and its parent vouching for the key (RFC 4035 §5)? */
export const dnssecSigned: Rule = {
  code: "dnssec_signed",
  category: "dns",
  says: { true: "Is signed with DNSSEC", false: "Is not signed with DNSSEC" },
  judge: (observation) =>
    whenKnown(zoneAnswer(observation, "ds"), ({ records: ds }) => {
      if (ds.length === 0) return found(false)
      const keys = observation.dns.dnskey
      if ("unknown" in keys) return unknown(keys.unknown)
      const signed = keys.value.records.length > 0
      return found(signed, signed ? undefined : "a DS record, but no DNSKEY")
    }),
}
