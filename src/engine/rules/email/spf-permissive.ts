import type { Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { spfOf } from "../mail.ts"

/** Does SPF let anyone send: `+all`, `?all`, no `all` (RFC 7208 §4.7), or the whole internet? */
export const spfPermissive: Rule = {
  code: "spf_permissive",
  category: "email",
  says: {
    true: "Lets anyone send mail in its name, by its own SPF record",
    false: "Does not let anyone send mail in its name by SPF",
  },
  judge: (observation) =>
    whenKnown(spfOf(observation), (spf) => {
      if (spf === undefined) return found(false)
      if (spf.terms.some(letsTheInternet)) return found(true, spf.text)
      if (spf.redirected) return unknown("not_observed")
      return found(spf.all !== "-" && spf.all !== "~", spf.text)
    }),
}

/**
 * Does the term pass a block larger than anyone holds, of 7 bits of prefix or fewer (RFC 7208 §5.6)?
 * Two halves of the internet are all of it.
 */
function letsTheInternet(term: string): boolean {
  return /^\+?(?:ip[46]|a|mx)(?::[^/]+)?(?:\/\d+)?\/{1,2}[0-7](?:\/|$)/i.test(term)
}
