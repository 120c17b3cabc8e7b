import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { header, siteExchange } from "../site.ts"

/** Does the site forbid guessing at content types (X-Content-Type-Options)? */
export const nosniff: Rule = {
  code: "nosniff",
  category: "http",
  says: {
    true: "Forbids browsers to guess at content types",
    false: "Lets browsers guess at content types",
  },
  judge: (observation) =>
    whenKnown(siteExchange(observation), (exchange) =>
      found(header(exchange, "x-content-type-options")[0]?.trim().toLowerCase() === "nosniff"),
    ),
}
