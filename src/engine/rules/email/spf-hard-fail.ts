import type { Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { spfOf } from "../mail.ts"

/** Does SPF refuse every sender that it does not name (`-all`)? */
export const spfHardFail: Rule = {
  code: "spf_hard_fail",
  category: "email",
  says: {
    true: "Has mail from other senders refused (SPF -all)",
    false: "Does not have mail from other senders refused by SPF",
  },
  judge: (observation) =>
    whenKnown(spfOf(observation), (spf) =>
      spf?.redirected === true ? unknown("not_observed") : found(spf?.all === "-", spf?.text),
    ),
}
