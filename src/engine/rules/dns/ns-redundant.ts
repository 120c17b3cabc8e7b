import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { zoneAnswer } from "../zone.ts"

/** Does the zone have two name servers, as RFC 1034 §4.1 asks? */
export const nsRedundant: Rule = {
  code: "ns_redundant",
  category: "dns",
  says: {
    true: "Is served by two name servers or more",
    false: "Is not served by two name servers",
  },
  judge: (observation) =>
    whenKnown(zoneAnswer(observation, "ns"), ({ records }) => {
      const names = new Set(records.map(({ data }) => data))
      return found(names.size >= THRESHOLDS.nameServers, [...names].slice(0, 4).join(", "))
    }),
}
