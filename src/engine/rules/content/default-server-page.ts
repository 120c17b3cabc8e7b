import { DEFAULT_PAGES } from "../../lists/default-pages.ts"
import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { homePage } from "../site.ts"

/** Is it the page of a server that nobody has put a site on? */
export const defaultServerPage: Rule = {
  code: "default_server_page",
  category: "content",
  says: {
    true: "Shows a server's default page, not a site",
    false: "Shows a site, not a server's default page",
  },
  judge: (observation) =>
    whenKnown(homePage(observation), ({ title = "", text, textLength }) => {
      const heading = title.trim().toLowerCase()
      if (DEFAULT_PAGES.titles.includes(heading)) return found(true, title)
      const short = textLength <= THRESHOLDS.shortPageCharacters ? text.toLowerCase() : ""
      const seen = DEFAULT_PAGES.phrases.find(
        (phrase) => heading.includes(phrase) || short.includes(phrase),
      )
      return found(seen !== undefined, seen)
    }),
}
