import type { Rule } from "../../types.ts"
import { found, unknown, whenKnown } from "../finding.ts"
import { siteVisit } from "../site.ts"
import { addresses } from "../zone.ts"

/** Did a web server answer? False where there is no address to ask; silence is unknown. */
export const httpReachable: Rule = {
  code: "http_reachable",
  category: "http",
  says: { true: "Answers on the web", false: "Cannot be on the web: it has no address" },
  judge: (observation) => {
    const visit = siteVisit(observation)
    if ("value" in visit) return found(true, visit.value.hops.at(-1)?.url)
    return whenKnown(addresses(observation), (records) =>
      records.length === 0 ? found(false) : unknown(visit.unknown),
    )
  },
}
