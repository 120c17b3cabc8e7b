import type { Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"

/** Do signatures fail to verify: SERVFAIL that clears when checking is disabled? */
export const dnssecBogus: Rule = {
  code: "dnssec_bogus",
  category: "dns",
  says: {
    true: "Carries DNSSEC signatures that do not verify",
    false: "Carries no DNSSEC signatures that fail to verify",
  },
  judge: ({ dns, name }) =>
    name.shared ? unknown("platform") : whenKnown(dns.bogus, (bogus) => found(bogus)),
}
