import type { Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { isChallenge, obstacle, redirectTarget, unseenTarget } from "../site.ts"

/** Does plain HTTP lead to HTTPS? */
export const httpRedirectsHttps: Rule = {
  code: "http_redirects_https",
  category: "http",
  says: {
    true: "Leads visitors from plain HTTP to HTTPS",
    false: "Leaves visitors on plain HTTP",
  },
  judge: ({ http }) =>
    whenKnown(http.plain, (visit) => {
      const secure = visit.hops.find(({ url }) => url.startsWith("https:"))
      if (secure !== undefined) return found(true, secure.url)
      const last = visit.hops.at(-1)
      if (last === undefined) return unknown("malformed")
      // A step to HTTPS that was not taken still is one.
      const next = redirectTarget(last)
      if (next?.protocol === "https:") return found(true, next.href)
      if (isChallenge(last)) return unknown("challenge")
      const why = unseenTarget(visit) ?? obstacle(last.status)
      return why === undefined ? found(false, last.url) : unknown(why)
    }),
}
