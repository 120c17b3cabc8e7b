import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"

/** Does the certificate lead to a trusted root? Names and dates are other rules'. */
export const certValidChain: Rule = {
  code: "cert_valid_chain",
  category: "tls",
  says: {
    true: "Shows a certificate from a trusted authority",
    false: "Shows a certificate that no trusted authority vouches for",
  },
  judge: ({ tls }) =>
    whenKnown(tls, ({ chainValid, chainError, certificate }) =>
      chainValid ? found(true, certificate.issuer) : found(false, chainError),
    ),
}
