import type { Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { redirectTarget, unseenTarget } from "../site.ts"

/**
 * Is the site served over TLS? False where the secure site sends its visitors back to plain HTTP;
 * a port that does not answer is unknown, as everywhere.
 */
export const usesHttps: Rule = {
  code: "uses_https",
  category: "tls",
  says: { true: "Is served over HTTPS", false: "Sends visitors from HTTPS back to plain HTTP" },
  judge: ({ tls, http }) =>
    whenKnown(tls, ({ protocol }) => {
      if ("unknown" in http.secure) return found(true, protocol)
      const last = http.secure.value.hops.at(-1)
      if (last?.url.startsWith("http:")) return found(false, last.url)
      // What did not answer there may have led to HTTPS again.
      const why = unseenTarget(http.secure.value)
      const leavesHttps = redirectTarget(last)?.protocol === "http:"
      return leavesHttps && why !== undefined ? unknown(why) : found(true, protocol)
    }),
}
