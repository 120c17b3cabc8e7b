import type { Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { isChallenge, siteVisit, whyNoAnswer } from "../site.ts"

/** Did a gatekeeper stand between us and the site? What lies behind it is unknown. */
export const botChallenge: Rule = {
  code: "bot_challenge",
  category: "http",
  says: {
    true: "Turns automatic visitors away, so that its pages stay unseen",
    false: "Lets automatic visitors see its pages",
  },
  judge: (observation) => {
    if ("unknown" in observation.http.home && observation.http.home.unknown === "challenge") {
      return found(true)
    }
    return whenKnown(siteVisit(observation), (visit) => {
      const last = visit.hops.at(-1)
      if (last === undefined) return unknown("malformed")
      const why = whyNoAnswer(visit)
      return why === undefined ? found(isChallenge(last), `status ${last.status}`) : unknown(why)
    })
  },
}
