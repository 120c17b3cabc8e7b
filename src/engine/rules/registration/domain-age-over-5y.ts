import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { Rule } from "../../types.ts"
import { found } from "../finding.ts"
import { whenDated } from "../registry.ts"

/** Has the domain been registered for five years or more? */
export const domainAgeOver5y: Rule = {
  code: "domain_age_over_5y",
  category: "registration",
  says: {
    true: "Has been registered for five years or more",
    false: "Has been registered for less than five years",
  },
  judge: (observation) =>
    whenDated(observation, "registeredAt", (days, date) =>
      found(days >= THRESHOLDS.oldRegistrationDays, date),
    ),
}
