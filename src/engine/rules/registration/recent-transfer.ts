import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { Rule } from "../../types.ts"
import { daysBetween } from "../certificate.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { registrationOf } from "../registry.ts"

/**
 * Did the domain change its registrar within the last sixty days? Servers leave the event out where
 * there was none (ICANN RDAP response profile §2.3.2); of one that tells no times at all, unknown.
 */
export const recentTransfer: Rule = {
  code: "recent_transfer",
  category: "registration",
  says: {
    true: "Was transferred to another registrar lately",
    false: "Was not transferred lately",
  },
  judge: (observation) =>
    whenKnown(registrationOf(observation), ({ transferredAt, registeredAt }) => {
      if (transferredAt === undefined) {
        return registeredAt === undefined ? unknown("not_offered") : found(false)
      }
      const days = daysBetween(transferredAt, observation.observedAt)
      if (Number.isNaN(days)) return unknown("malformed")
      return found(days < THRESHOLDS.recentTransferDays, transferredAt.slice(0, 10))
    }),
}
