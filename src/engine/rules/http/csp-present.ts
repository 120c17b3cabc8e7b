import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { header, siteExchange } from "../site.ts"

/** Does the site restrict what its pages load (Content Security Policy, enforced)? */
export const cspPresent: Rule = {
  code: "csp_present",
  category: "http",
  says: {
    true: "Restricts what its pages may load (CSP)",
    false: "Does not restrict what its pages may load",
  },
  judge: (observation) =>
    whenKnown(siteExchange(observation), (exchange) => {
      const policies = header(exchange, "content-security-policy")
      return found(
        policies.some((policy) => /[a-z]/i.test(policy)),
        policies[0],
      )
    }),
}
