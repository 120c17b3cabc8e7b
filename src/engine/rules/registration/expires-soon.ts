import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { Rule } from "../../types.ts"
import { found } from "../finding.ts"
import { whenDated } from "../registry.ts"

/** Does the registration end within thirty days, or has it ended? */
export const expiresSoon: Rule = {
  code: "expires_soon",
  category: "registration",
  says: {
    true: "Has a registration that ends within 30 days",
    false: "Has a registration that does not end soon",
  },
  judge: (observation) =>
    whenDated(observation, "expiresAt", (days, date) =>
      found(-days < THRESHOLDS.expiresSoonDays, `until ${date}`),
    ),
}
