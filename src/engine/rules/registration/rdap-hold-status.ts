import { HOLD_STATUSES } from "../../lists/hold-statuses.ts"
import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { registrationOf } from "../registry.ts"

/** Has the registry or the registrar taken the name out of the DNS? */
export const rdapHoldStatus: Rule = {
  code: "rdap_hold_status",
  category: "registration",
  says: {
    true: "Was put on hold by its registry or registrar",
    false: "Is not on hold at its registry or registrar",
  },
  judge: (observation) =>
    whenKnown(registrationOf(observation), ({ statuses }) => {
      const hold = statuses.filter((status) => HOLD_STATUSES.statuses.includes(status))
      return found(hold.length > 0, hold.join(", "))
    }),
}
