import type { Rule } from "../../types.ts"
import { whenItsOwn } from "../certificate.ts"
import { found } from "../finding.ts"

/** Did a trusted authority check which organisation holds the name, and put it in the subject? */
export const certOrganisationValidated: Rule = {
  code: "cert_organisation_validated",
  category: "tls",
  says: {
    true: "Shows a certificate whose organisation an authority checked",
    false: "Shows a certificate without a checked organisation",
  },
  judge: (observation) =>
    whenItsOwn(observation, ({ chainValid }, { organisation }) =>
      found(chainValid && organisation !== undefined, organisation),
    ),
}
