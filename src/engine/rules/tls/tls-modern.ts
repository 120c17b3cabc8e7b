import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"

/** Is it TLS 1.3, or 1.2 with forward secrecy and an AEAD cipher (RFC 9325 §4.2)? */
export const tlsModern: Rule = {
  code: "tls_modern",
  category: "tls",
  says: { true: "Speaks modern TLS", false: "Speaks outdated TLS only" },
  judge: ({ tls }) =>
    whenKnown(tls, ({ protocol, cipher }) => {
      const strong = /^(TLS_)?(ECDHE|DHE).*(GCM|CCM|CHACHA20)/.test(cipher)
      return found(
        protocol === "TLSv1.3" || (protocol === "TLSv1.2" && strong),
        `${protocol}, ${cipher}`,
      )
    }),
}
