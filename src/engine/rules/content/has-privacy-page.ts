import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { standardPage } from "../site.ts"

/** Is there a page on privacy? */
export const hasPrivacyPage: Rule = {
  code: "has_privacy_page",
  category: "content",
  says: { true: "Has a page on privacy", false: "Has no page on privacy where one was looked for" },
  judge: (observation) =>
    whenKnown(standardPage(observation, "privacy"), (page) => found(page !== undefined, page?.url)),
}
