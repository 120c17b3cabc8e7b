import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { mailHosts } from "../mail.ts"

/** Does the domain take mail? */
export const hasMxRecords: Rule = {
  code: "has_mx_records",
  category: "email",
  says: { true: "Takes mail at its own name", false: "Takes no mail at its own name" },
  judge: (observation) =>
    whenKnown(mailHosts(observation), (hosts) =>
      found(hosts !== null && hosts.length > 0, hosts?.slice(0, 3).join(", ")),
    ),
}
