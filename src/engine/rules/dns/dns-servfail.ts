import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"

/** Are the zone's servers so broken that a resolver gets no answer from them? */
export const dnsServfail: Rule = {
  code: "dns_servfail",
  category: "dns",
  says: {
    true: "Makes resolvers fail: its zone is broken",
    false: "Answers resolvers without failure",
  },
  judge: ({ dns }) =>
    "unknown" in dns.a && dns.a.unknown === "servfail"
      ? found(true)
      : whenKnown(dns.a, () => found(false)),
}
