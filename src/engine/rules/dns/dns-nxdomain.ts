import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"

/** Does the DNS say that the name does not exist? */
export const dnsNxdomain: Rule = {
  code: "dns_nxdomain",
  category: "dns",
  says: { true: "Does not exist in the DNS", false: "Exists in the DNS" },
  judge: ({ dns, registration }) =>
    whenKnown(dns.a, ({ rcode }) => {
      const unregistered = "value" in registration && registration.value === null
      return rcode === "NXDOMAIN"
        ? found(true, unregistered ? "the registry knows no such name either" : undefined)
        : found(false)
    }),
}
