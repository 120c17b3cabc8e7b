import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"

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
      const last = "value" in http.secure ? http.secure.value.hops.at(-1)?.url : undefined
      return last?.startsWith("http://") ? found(false, last) : found(true, protocol)
    }),
}
