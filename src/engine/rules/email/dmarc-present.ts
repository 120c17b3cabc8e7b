import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { dmarcOf } from "../mail.ts"

/** Does the domain have a valid DMARC policy (RFC 7489)? */
export const dmarcPresent: Rule = {
  code: "dmarc_present",
  category: "email",
  says: {
    true: "Says what to do with mail that forges its name (DMARC)",
    false: "Has no valid DMARC policy",
  },
  judge: (observation) =>
    whenKnown(dmarcOf(observation), (dmarc) => found(dmarc !== undefined, dmarc?.text)),
}
