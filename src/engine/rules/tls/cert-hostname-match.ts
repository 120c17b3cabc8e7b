import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"

/** Is the certificate for this host (RFC 9525)? */
export const certHostnameMatch: Rule = {
  code: "cert_hostname_match",
  category: "tls",
  says: {
    true: "Shows a certificate for its own name",
    false: "Shows a certificate for another name",
  },
  judge: ({ tls }) =>
    whenKnown(tls, ({ hostnameMatch, certificate }) =>
      found(hostnameMatch, certificate.dnsNames.slice(0, 3).join(", ")),
    ),
}
