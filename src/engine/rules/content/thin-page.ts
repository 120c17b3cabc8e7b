import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { homePage } from "../site.ts"

/** Is there next to nothing on the home page? Pages that scripts build look so too. */
export const thinPage: Rule = {
  code: "thin_page",
  category: "content",
  says: {
    true: "Has next to nothing on its home page",
    false: "Has a home page with something on it",
  },
  judge: (observation) =>
    whenKnown(homePage(observation), ({ textLength, links }) =>
      found(
        textLength < THRESHOLDS.thinTextCharacters && links.length < THRESHOLDS.thinLinks,
        `${textLength} characters, ${links.length} links`,
      ),
    ),
}
