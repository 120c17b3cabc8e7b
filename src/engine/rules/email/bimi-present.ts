import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { onlyTags } from "../mail.ts"
import { zoneAnswer } from "../zone.ts"

/** Does the domain publish a logo for its mail (BIMI)? An empty `l=` declines. */
export const bimiPresent: Rule = {
  code: "bimi_present",
  category: "email",
  says: { true: "Publishes a logo for its mail (BIMI)", false: "Publishes no logo for its mail" },
  judge: (observation) =>
    whenKnown(zoneAnswer(observation, "bimi"), ({ records }) => {
      const logo = onlyTags(records, "v=BIMI1")?.tags.get("l") ?? ""
      return found(/^https:\/\/\S/i.test(logo), logo)
    }),
}
