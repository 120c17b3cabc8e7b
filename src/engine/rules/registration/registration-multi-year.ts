import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { Rule } from "../../types.ts"
import { found } from "../finding.ts"
import { whenDated } from "../registry.ts"

/** Is the registration paid for more than a year ahead? */
export const registrationMultiYear: Rule = {
  code: "registration_multi_year",
  category: "registration",
  says: {
    true: "Is paid for more than a year ahead",
    false: "Is not paid for more than a year ahead",
  },
  judge: (observation) =>
    whenDated(observation, "expiresAt", (days, date) =>
      found(-days > THRESHOLDS.multiYearDays, `until ${date}`),
    ),
}
