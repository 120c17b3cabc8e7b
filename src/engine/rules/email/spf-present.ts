import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { spfOf } from "../mail.ts"

/** Does the domain say who may send its mail (RFC 7208)? Two records are an error: none counts. */
export const spfPresent: Rule = {
  code: "spf_present",
  category: "email",
  says: {
    true: "Names the servers that may send its mail (SPF)",
    false: "Has no valid SPF record",
  },
  judge: (observation) =>
    whenKnown(spfOf(observation), (spf) => found(spf !== undefined, spf?.text)),
}
