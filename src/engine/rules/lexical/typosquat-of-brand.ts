import type { Rule } from "../../types.ts"
import { belongsToBrand, brandLike, registeredLabel, slipOf } from "../brand.ts"
import { found } from "../finding.ts"

/**
 * Is the registered label a brand's but for a slip of the hand or a hyphen?
 * What reads the same in other characters is `homoglyph_of_brand`, and not counted twice.
 */
export const typosquatOfBrand: Rule = {
  code: "typosquat_of_brand",
  category: "lexical",
  says: {
    true: "Is a slip of the hand away from a known brand's name",
    false: "Is no misspelling of a known brand",
  },
  judge({ name }) {
    if (belongsToBrand(name)) return found(false)
    const label = registeredLabel(name)
    if (brandLike(label) !== undefined) return found(false)
    const joined = label.replaceAll("-", "")
    const hyphenated = joined === label ? undefined : brandLike(joined)
    const brand = hyphenated?.word === true ? undefined : (hyphenated ?? slipOf(label))
    return brand === undefined ? found(false) : found(true, `${label} for ${brand.label}`)
  },
}
