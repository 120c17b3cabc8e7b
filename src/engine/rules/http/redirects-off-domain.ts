import type { Rule, Visit } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { isOwn, redirectTarget, siteVisit, unseenTarget } from "../site.ts"

/** Does a visit, over HTTPS or plain HTTP, end on somebody else's domain, or is it sent there? */
export const redirectsOffDomain: Rule = {
  code: "redirects_off_domain",
  category: "http",
  says: {
    true: "Sends its visitors to another domain",
    false: "Keeps its visitors on its own domain",
  },
  judge: (observation) =>
    whenKnown(siteVisit(observation), (site) => {
      const { plain } = observation.http
      const visits = "value" in plain ? [site, plain.value] : [site]
      if (visits.some(({ hops }) => hops.length === 0)) return unknown("malformed")
      const away = visits.map(endOf).find((url) => !isOwn(url, observation.name))
      if (away !== undefined) return found(true, away)
      const why = visits.map(unseenTarget).find((reason) => reason !== undefined)
      return why === undefined ? found(false, endOf(site)) : unknown(why)
    }),
}

/** A step that was not taken still leads there. */
function endOf({ hops }: Visit): string {
  const last = hops.at(-1)
  return redirectTarget(last)?.href ?? last?.url ?? ""
}
