import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { onlyTags } from "../mail.ts"
import { zoneAnswer } from "../zone.ts"

/** Does the domain want reports on failing TLS of its mail (RFC 8460 §3)? */
export const tlsRptPresent: Rule = {
  code: "tls_rpt_present",
  category: "email",
  says: {
    true: "Asks for reports on TLS failures of its mail",
    false: "Asks for no reports on TLS failures of its mail",
  },
  judge: (observation) =>
    whenKnown(zoneAnswer(observation, "tlsRpt"), ({ records }) => {
      const rua = onlyTags(records, "v=TLSRPTv1")?.tags.get("rua") ?? ""
      return found(/^(mailto:|https:\/\/)\S/i.test(rua), rua)
    }),
}
