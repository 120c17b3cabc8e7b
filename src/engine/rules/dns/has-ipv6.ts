import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { zoneAnswer } from "../zone.ts"

/** Is the host reachable over IPv6? */
export const hasIpv6: Rule = {
  code: "has_ipv6",
  category: "dns",
  says: { true: "Has an IPv6 address", false: "Has no IPv6 address" },
  judge: (observation) =>
    whenKnown(zoneAnswer(observation, "aaaa"), ({ records }) =>
      found(records.length > 0, records[0]?.data),
    ),
}
