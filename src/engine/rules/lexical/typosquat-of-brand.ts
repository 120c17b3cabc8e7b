import type { Rule } from "../../types.ts"
import { belongsToBrand, brandLike, registeredLabel, slipOf } from "../brand.ts"
import { found } from "../finding.ts"

/** Suffixes under which brands hold their own name: countries', and the oldest generic ones. */
const BRANDS_OWN_SUFFIX = /^(com|net|org|info|example|test|[a-z]{2}|[a-z]{2,3}\.[a-z]{2})$/

/**
 * Is the registered label a brand's but for a slip of the hand, a hyphen or the suffix?
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
    const alike = brandLike(label)
    if (alike !== undefined) {
      const elsewhere = alike.label === label && alike.word !== true
      if (!elsewhere || name.shared || BRANDS_OWN_SUFFIX.test(name.suffix)) return found(false)
      return found(true, `${alike.label} under .${name.suffix}`)
    }
    const joined = label.replaceAll("-", "")
    const hyphenated = joined === label ? undefined : brandLike(joined)
    const brand = hyphenated?.word === true ? undefined : (hyphenated ?? slipOf(label))
    return brand === undefined ? found(false) : found(true, `${label} for ${brand.label}`)
  },
}
