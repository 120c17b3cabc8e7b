import type { Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { isChallenge, obstacle, siteVisit, whyNoAnswer } from "../site.ts"

/** Does the home page end in an error of the server's (RFC 9110 §15.6)? */
export const serverError: Rule = {
  code: "server_error",
  category: "http",
  says: { true: "Answers with a server error", false: "Answers without a server error" },
  judge: (observation) =>
    whenKnown(siteVisit(observation), (visit) => {
      const last = visit.hops.at(-1)
      if (last === undefined) return unknown("malformed")
      if (isChallenge(last)) return unknown("challenge")
      const why = whyNoAnswer(visit)
      if (why !== undefined) return unknown(why)
      const error = obstacle(last.status)
      return error === "malformed"
        ? unknown(error)
        : found(error === "server_error", `status ${last.status}`)
    }),
}
