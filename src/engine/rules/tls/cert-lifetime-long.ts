import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { Rule } from "../../types.ts"
import { daysBetween, whenItsOwn } from "../certificate.ts"
import { found } from "../finding.ts"

/** Was the certificate issued for longer than the free, automatic ones, by a trusted authority? */
export const certLifetimeLong: Rule = {
  code: "cert_lifetime_long",
  category: "tls",
  says: {
    true: "Shows a certificate issued for longer than the free ones are",
    false: "Shows a certificate of short life, as the free ones are",
  },
  judge: (observation) =>
    whenItsOwn(observation, ({ chainValid }, { notBefore, notAfter }) => {
      const days = daysBetween(notBefore, notAfter)
      return found(chainValid && days > THRESHOLDS.longCertificateDays, `${Math.round(days)} days`)
    }),
}
