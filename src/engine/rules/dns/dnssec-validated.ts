import type { Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { dnssecSigned } from "./dnssec-signed.ts"

/** Did a resolver whose word counts check the signatures (the AD bit, RFC 4035 §3.2.3)? */
export const dnssecValidated: Rule = {
  code: "dnssec_validated",
  category: "dns",
  says: {
    true: "Has signatures that a trusted resolver verified",
    false: "Has no signatures that a trusted resolver verified",
  },
  judge: (observation) => {
    const signed = dnssecSigned.judge(observation)
    if (signed.state !== true) return signed.state === false ? found(false) : signed
    return whenKnown(observation.dns.a, ({ authenticated }) =>
      authenticated === undefined ? unknown("not_observed") : found(authenticated),
    )
  },
}
