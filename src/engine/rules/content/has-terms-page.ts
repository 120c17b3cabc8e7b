import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { standardPage } from "../site.ts"

/** Is there a page of terms? */
export const hasTermsPage: Rule = {
  code: "has_terms_page",
  category: "content",
  says: { true: "Has a page of terms", false: "Has no page of terms where one was looked for" },
  judge: (observation) =>
    whenKnown(standardPage(observation, "terms"), (page) => found(page !== undefined, page?.url)),
}
