import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { Rule } from "../../types.ts"
import { daysBetween, whenItsOwn } from "../certificate.ts"
import { found } from "../finding.ts"

/** Is the certificate a few days old? */
export const certRecentlyIssued: Rule = {
  code: "cert_recently_issued",
  category: "tls",
  says: {
    true: "Shows a certificate issued within the last days",
    false: "Shows a certificate that is not brand new",
  },
  judge: (observation) =>
    whenItsOwn(observation, (_, { notBefore }) => {
      const days = daysBetween(notBefore, observation.observedAt)
      return found(days < THRESHOLDS.recentCertificateDays, `issued ${notBefore.slice(0, 10)}`)
    }),
}
