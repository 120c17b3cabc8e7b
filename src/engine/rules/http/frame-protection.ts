import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { header, siteExchange } from "../site.ts"

/** Does the site keep others from framing it (X-Frame-Options, RFC 7034, or frame-ancestors)? */
export const frameProtection: Rule = {
  code: "frame_protection",
  category: "http",
  says: { true: "Keeps others from framing its pages", false: "Lets others frame its pages" },
  judge: (observation) =>
    whenKnown(siteExchange(observation), (exchange) => {
      const policies = header(exchange, "content-security-policy")
      const ancestors = policies.find((policy) => /(?:^|;)\s*frame-ancestors\s/i.test(policy))
      const options = header(exchange, "x-frame-options").find((value) =>
        /^\s*(deny|sameorigin)\s*$/i.test(value),
      )
      return found((ancestors ?? options) !== undefined, ancestors ?? options)
    }),
}
