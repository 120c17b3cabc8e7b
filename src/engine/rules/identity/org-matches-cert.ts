import type { Rule } from "../../types.ts"
import { whenItsOwn } from "../certificate.ts"
import { found, whenKnown } from "../finding.ts"
import { bareName } from "../holder.ts"
import { homePage } from "../site.ts"

/** Does the page name the organisation that an authority put in the certificate? */
export const orgMatchesCert: Rule = {
  code: "org_matches_cert",
  category: "identity",
  says: {
    true: "Names the organisation that its certificate names",
    false: "Names no organisation that its certificate names too",
  },
  judge: (observation) =>
    whenItsOwn(observation, ({ chainValid }, { organisation }) => {
      const checked = chainValid ? bareName(organisation ?? "") : ""
      if (checked === "") return found(false)
      return whenKnown(homePage(observation), ({ organisations, title = "" }) => {
        const named = [...organisations.map(({ name = "" }) => name), title]
        const match = named.find((name) => bareName(name).includes(checked))
        return found(match !== undefined, organisation)
      })
    }),
}
