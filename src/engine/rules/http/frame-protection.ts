import type { Exchange, Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { header, siteExchange } from "../site.ts"

/**
 * Does the site keep others from framing it? Where frame-ancestors (CSP 3 §6.4.2) is there, browsers
 * do not look at X-Frame-Options (RFC 7034).
 */
export const frameProtection: Rule = {
  code: "frame_protection",
  category: "http",
  says: { true: "Keeps others from framing its pages", false: "Lets others frame its pages" },
  judge: (observation) =>
    whenKnown(siteExchange(observation), (exchange) => {
      const ancestors = frameAncestors(exchange)
      if (ancestors.length > 0) {
        const closed = ancestors.find((directive) => !letsAnyone(directive))
        return found(closed !== undefined, closed ?? ancestors[0])
      }
      const options = header(exchange, "x-frame-options").find((value) =>
        /^\s*(deny|sameorigin)\s*$/i.test(value),
      )
      return found(options !== undefined, options)
    }),
}

/** @returns The directive of each policy that has one; all of them hold at once (CSP 3 §8.1). */
function frameAncestors(exchange: Exchange): readonly string[] {
  const policies = header(exchange, "content-security-policy").flatMap((value) => value.split(","))
  return policies.flatMap((policy) => {
    const directives = policy.split(";").map((directive) => directive.trim())
    // Of a repeated directive the first counts (CSP 3 §2.2.1).
    return directives.find((directive) => /^frame-ancestors(?:\s|$)/i.test(directive)) ?? []
  })
}

/** Is there a source that is any host: `*`, a scheme alone, or both? */
function letsAnyone(directive: string): boolean {
  const sources = directive.split(/\s+/).slice(1)
  return sources.some((source) => /^(?:https?:|(?:https?:\/\/)?\*(?::[\d*]+)?\/?)$/i.test(source))
}
