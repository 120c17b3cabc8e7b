import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { homePage } from "../site.ts"

/** Does the home page have a title? */
export const titlePresent: Rule = {
  code: "title_present",
  category: "content",
  says: { true: "Has a titled home page", false: "Has a home page without a title" },
  judge: (observation) =>
    whenKnown(homePage(observation), ({ title }) => found((title ?? "").trim() !== "", title)),
}
