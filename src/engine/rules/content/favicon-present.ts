import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { homePage } from "../site.ts"

/** Does the home page name an icon? */
export const faviconPresent: Rule = {
  code: "favicon_present",
  category: "content",
  says: { true: "Has an icon of its own", false: "Has no icon of its own" },
  judge: (observation) => whenKnown(homePage(observation), ({ favicon }) => found(favicon)),
}
