import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"

/** Does the certificate carry proof that it was logged in public (RFC 6962 §3.3)? */
export const certSctPresent: Rule = {
  code: "cert_sct_present",
  category: "tls",
  says: {
    true: "Shows a certificate that was logged in public",
    false: "Shows a certificate without proof that it was logged in public",
  },
  judge: ({ tls }) => whenKnown(tls, ({ certificate }) => found(certificate.sct)),
}
