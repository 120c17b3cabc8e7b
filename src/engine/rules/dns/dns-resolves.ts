import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { addresses } from "../zone.ts"

/** Does the host have an address? */
export const dnsResolves: Rule = {
  code: "dns_resolves",
  category: "dns",
  says: { true: "Has an address in the DNS", false: "Has no address in the DNS" },
  judge: (observation) =>
    whenKnown(addresses(observation), (records) => found(records.length > 0, records[0]?.data)),
}
