import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { header, hostOf, isOwn, siteVisit } from "../site.ts"

/** Does the visit end on somebody else's domain, or is it sent there? */
export const redirectsOffDomain: Rule = {
  code: "redirects_off_domain",
  category: "http",
  says: {
    true: "Sends its visitors to another domain",
    false: "Keeps its visitors on its own domain",
  },
  judge: (observation) =>
    whenKnown(siteVisit(observation), ({ hops, stopped }) => {
      const last = hops.at(-1)
      const sent = stopped === undefined || last === undefined ? "" : header(last, "location")[0]
      const target = hostOf(sent ?? "") === "" ? (last?.url ?? "") : (sent ?? "")
      return found(!isOwn(target, observation.name), target)
    }),
}
