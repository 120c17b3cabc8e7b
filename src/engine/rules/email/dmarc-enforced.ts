import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { dmarcOf } from "../mail.ts"

/** Does DMARC have all failing mail quarantined or rejected? */
export const dmarcEnforced: Rule = {
  code: "dmarc_enforced",
  category: "email",
  says: {
    true: "Has forged mail quarantined or rejected (DMARC)",
    false: "Does not have forged mail stopped by DMARC",
  },
  judge: (observation) =>
    whenKnown(dmarcOf(observation), (dmarc) =>
      found(
        dmarc !== undefined && dmarc.policy !== "none" && dmarc.percent >= 100,
        dmarc && `${dmarc.policy}, ${dmarc.percent} %`,
      ),
    ),
}
