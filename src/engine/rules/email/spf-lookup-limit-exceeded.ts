import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"

/** Does the SPF record take more than ten DNS queries, so that it ends in an error? */
export const spfLookupLimitExceeded: Rule = {
  code: "spf_lookup_limit_exceeded",
  category: "email",
  says: {
    true: "Has an SPF record that takes too many look-ups and so ends in an error",
    false: "Keeps within the look-ups that SPF allows",
  },
  judge: ({ dns, name }) =>
    name.shared
      ? unknown("platform")
      : whenKnown(dns.spfLookups, (lookups) =>
          found(lookups > THRESHOLDS.spfLookups, `${lookups} of ${THRESHOLDS.spfLookups}`),
        ),
}
