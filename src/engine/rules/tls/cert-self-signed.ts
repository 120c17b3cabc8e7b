import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"

/** Did the server sign its certificate itself? */
export const certSelfSigned: Rule = {
  code: "cert_self_signed",
  category: "tls",
  says: {
    true: "Shows a certificate that it signed itself",
    false: "Shows a certificate that somebody else signed",
  },
  judge: ({ tls }) =>
    whenKnown(tls, ({ certificate, chainValid }) =>
      found(certificate.selfSigned && !chainValid, certificate.issuer),
    ),
}
