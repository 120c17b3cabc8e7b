import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { Rule } from "../../types.ts"
import { found } from "../finding.ts"
import { whenDated } from "../registry.ts"

/** Was the domain registered within the last thirty days? */
export const domainAgeUnder30d: Rule = {
  code: "domain_age_under_30d",
  category: "registration",
  says: {
    true: "Was registered less than 30 days ago",
    false: "Was registered 30 days ago or earlier",
  },
  judge: (observation) =>
    whenDated(observation, "registeredAt", (days, date) =>
      found(days < THRESHOLDS.newRegistrationDays, date),
    ),
}
