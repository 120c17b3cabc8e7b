import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { homePage, isOwn } from "../site.ts"

/**
 * Does the page claim no other address than its own (RFC 6596)? A copied page still names the
 * original's. Without a canonical link nothing is claimed.
 */
export const canonicalMatches: Rule = {
  code: "canonical_matches",
  category: "content",
  says: {
    true: "Claims no other domain as its home page's address",
    false: "Claims another domain as its home page's address",
  },
  judge: (observation) =>
    whenKnown(homePage(observation), ({ canonical }) =>
      found(canonical === undefined || isOwn(canonical, observation.name), canonical),
    ),
}
