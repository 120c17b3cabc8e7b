import type { Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { isChallenge, siteVisit } from "../site.ts"

/** Does the home page end in an error of the server's (RFC 9110 §15.6)? */
export const serverError: Rule = {
  code: "server_error",
  category: "http",
  says: { true: "Answers with a server error", false: "Answers without a server error" },
  judge: (observation) =>
    whenKnown(siteVisit(observation), ({ hops, stopped }) => {
      const last = hops.at(-1)
      if (last === undefined) return unknown("malformed")
      if (isChallenge(last)) return unknown("challenge")
      if (stopped !== undefined) return unknown(stopped === "blocked" ? "blocked" : "malformed")
      return found(last.status >= 500, `status ${last.status}`)
    }),
}
