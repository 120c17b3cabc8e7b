import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"

/** Is the certificate out of its time: over, or not begun (RFC 5280 §4.1.2.5)? */
export const certExpired: Rule = {
  code: "cert_expired",
  category: "tls",
  says: {
    true: "Shows a certificate that is out of date",
    false: "Shows a certificate that is in date",
  },
  judge: ({ tls, observedAt }) =>
    whenKnown(tls, ({ certificate: { notBefore, notAfter } }) => {
      const now = Date.parse(observedAt)
      if (now > Date.parse(notAfter)) return found(true, `valid until ${notAfter}`)
      if (now < Date.parse(notBefore)) return found(true, `valid from ${notBefore}`)
      return found(false, `valid until ${notAfter}`)
    }),
}
