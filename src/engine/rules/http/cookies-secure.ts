import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { header, isOwn, siteExchange, siteVisit } from "../site.ts"

/** Are all cookies of the first visit marked Secure (RFC 6265 §4.1.2.5)? None is none in clear. */
export const cookiesSecure: Rule = {
  code: "cookies_secure",
  category: "http",
  says: {
    true: "Sets no cookie that may travel in clear",
    false: "Sets cookies that may travel in clear",
  },
  judge: (observation) =>
    whenKnown(siteVisit(observation), ({ hops }) => {
      const cookies = hops
        .filter(({ url }) => isOwn(url, observation.name))
        .flatMap((hop) => header(hop, "set-cookie"))
      const clear = cookies.filter((cookie) => !/;\s*secure\s*(;|$)/i.test(cookie))
      if (clear.length === 0) return whenKnown(siteExchange(observation), () => found(true))
      // The name alone is shown: a value may identify a session.
      return found(false, clear.map((cookie) => cookie.split("=")[0]).join(", "))
    }),
}
