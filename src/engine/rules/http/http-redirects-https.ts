import type { Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { isChallenge, obstacle } from "../site.ts"

/** Does plain HTTP lead to HTTPS? */
export const httpRedirectsHttps: Rule = {
  code: "http_redirects_https",
  category: "http",
  says: {
    true: "Leads visitors from plain HTTP to HTTPS",
    false: "Leaves visitors on plain HTTP",
  },
  judge: ({ http }) =>
    whenKnown(http.plain, ({ hops, stopped }) => {
      const secure = hops.find(({ url }) => url.startsWith("https:"))
      if (secure !== undefined) return found(true, secure.url)
      const last = hops.at(-1)
      if (last === undefined) return unknown("malformed")
      // A step to HTTPS that was not taken still is one.
      const next = last.headers["location"]?.[0] ?? ""
      if (/^https:/i.test(next)) return found(true, next)
      if (stopped === "blocked") return unknown("blocked")
      if (isChallenge(last)) return unknown("challenge")
      const why = obstacle(last.status)
      return why === undefined ? found(false, last.url) : unknown(why)
    }),
}
