import type { Rule } from "../../types.ts"
import { belongsToBrand, brandLike, labelsOf } from "../brand.ts"
import { found } from "../finding.ts"

/** Shorter labels of plain letters have honest look-alikes (`appie`, the Dutch grocer). */
const MIN_PLAIN_LENGTH = 6
const MIN_LENGTH = 4

/** Does a word of the name look like a brand's, written with other characters? */
export const homoglyphOfBrand: Rule = {
  code: "homoglyph_of_brand",
  category: "lexical",
  says: {
    true: "Looks like a known brand's name, written with other characters",
    false: "Looks like no known brand in other characters",
  },
  judge({ name }) {
    if (belongsToBrand(name)) return found(false)
    for (const word of labelsOf(name).flatMap((label) => label.split("-"))) {
      if (word.length < MIN_LENGTH) continue
      if (word.length < MIN_PLAIN_LENGTH && /^[a-z]+$/.test(word)) continue
      const brand = brandLike(word)
      if (brand !== undefined && brand.label !== word) {
        return found(true, `${word} reads as ${brand.label}`)
      }
    }
    return found(false)
  },
}
