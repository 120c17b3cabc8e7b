import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { Rule } from "../../types.ts"
import { found } from "../finding.ts"
import { whenDated } from "../registry.ts"

/** Was the domain registered within the last year? True of a brand-new one too. */
export const domainAgeUnder1y: Rule = {
  code: "domain_age_under_1y",
  category: "registration",
  says: {
    true: "Was registered less than a year ago",
    false: "Was registered a year ago or earlier",
  },
  judge: (observation) =>
    whenDated(observation, "registeredAt", (days, date) =>
      found(days < THRESHOLDS.youngRegistrationDays, date),
    ),
}
