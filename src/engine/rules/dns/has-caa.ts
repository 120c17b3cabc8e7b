import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { zoneAnswer } from "../zone.ts"

/** Does the zone say who may issue certificates for it (RFC 8659 §4: issue, issuewild)? */
export const hasCaa: Rule = {
  code: "has_caa",
  category: "dns",
  says: {
    true: "Names the authorities that may issue its certificates",
    false: "Lets any authority issue its certificates",
  },
  judge: (observation) =>
    whenKnown(zoneAnswer(observation, "caa"), ({ records }) => {
      const issue = records.filter(({ data }) => /^\d+\s+issue(wild)?\s/i.test(data))
      return found(issue.length > 0, issue.map(({ data }) => data).join(", "))
    }),
}
