import type { Rule } from "../../types.ts"
import { found, unknown } from "../finding.ts"
import { standardPage } from "../site.ts"

/** Is there a page that says how to reach the holder: contact, or imprint? */
export const hasContactPage: Rule = {
  code: "has_contact_page",
  category: "content",
  says: {
    true: "Has a page that says how to reach its holder",
    false: "Has no page that says how to reach its holder",
  },
  judge: (observation) => {
    const pages = [standardPage(observation, "contact"), standardPage(observation, "imprint")]
    for (const page of pages) {
      if ("value" in page && page.value !== undefined) return found(true, page.value.url)
    }
    const unseen = pages.find((page) => "unknown" in page)
    return unseen === undefined ? found(false) : unknown(unseen.unknown)
  },
}
