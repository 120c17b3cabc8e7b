import type { Brand } from "../../lists/brands.ts"
import { KEYWORDS } from "../../lists/keywords.ts"
import type { Name, Rule } from "../../types.ts"
import {
  belongsToBrand,
  brandLike,
  brandOfSkeleton,
  labelsOf,
  registeredLabel,
  skeleton,
} from "../brand.ts"
import { found } from "../finding.ts"

const STRONG = new Set(KEYWORDS.strong.map(skeleton))
const ANY = new Set([...KEYWORDS.strong, ...KEYWORDS.weak].map(skeleton))
const MIN_LENGTH = 3
/** Shorter brands are part of too many words to be found without a hyphen. */
const MIN_JOINED_LENGTH = 5

/** Does the name put a brand beside a word that asks for trust, or the brand's domain in front? */
export const brandPlusKeyword: Rule = {
  code: "brand_plus_keyword",
  category: "lexical",
  says: {
    true: "Puts a known brand beside a word that asks for trust",
    false: "Puts no known brand beside a word that asks for trust",
  },
  judge({ name }) {
    if (belongsToBrand(name)) return found(false)
    const seen = brandInFront(name) ?? brandBesideKeyword(name)
    return found(seen !== undefined, seen)
  },
}

/** `paypal.com.example.net`: the reader stops at the first name that he knows. */
function brandInFront(name: Name): string | undefined {
  const labels = labelsOf(name).map(skeleton)
  for (const [i, label] of labels.slice(0, -1).entries()) {
    if (labels[i + 1] !== COM) continue
    const brand = brandOfSkeleton(label)
    if (brand !== undefined) return `${brand.label}.com in front of ${name.registrable}`
  }
  return undefined
}
const COM = skeleton("com")

function brandBesideKeyword(name: Name): string | undefined {
  const own = brandLike(registeredLabel(name))?.label
  const words = labelsOf(name).flatMap((label) => skeleton(label).split("-"))
  for (const [i, word] of words.entries()) {
    const brand = word.length >= MIN_LENGTH ? brandOfSkeleton(word) : undefined
    // A brand's own name under another suffix is mostly the brand's, with whatever is below it.
    if (brand !== undefined && brand.label !== own) {
      const keywords = brand.word === true ? STRONG : ANY
      if (words.some((other, j) => j !== i && keywords.has(other))) return brand.label
    }
    const joined = brandJoined(word)
    if (joined !== undefined) return joined.label
  }
  return undefined
}

/** `paypallogin`, `securepaypal`. */
function brandJoined(word: string): Brand | undefined {
  for (let i = MIN_LENGTH - 1; i <= word.length - MIN_JOINED_LENGTH; i++) {
    const before = ANY.has(word.slice(0, i)) ? brandOfSkeleton(word.slice(i)) : undefined
    const behind = ANY.has(word.slice(-i)) ? brandOfSkeleton(word.slice(0, -i)) : undefined
    const brand = before ?? behind
    if (brand !== undefined && brand.word !== true) return brand
  }
  return undefined
}
