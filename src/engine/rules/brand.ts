/**
 * Likeness to brands: skeletons (after UTS #39 §4) and Damerau-Levenshtein distance.
 * Everything about the brands themselves is worked out once, when this is loaded.
 */
import { editDistance } from "../../core/edit-distance.ts"
import type { Brand } from "../lists/brands.ts"
import { BRANDS, HONEST_NEIGHBOURS } from "../lists/brands.ts"
import { CONFUSABLES } from "../lists/confusables.ts"
import type { Name } from "../types.ts"

const PROTOTYPES = new Map(
  Object.entries(CONFUSABLES.lookAlikes).flatMap(([letter, alike]) =>
    [...alike].map((character) => [character, letter] as const),
  ),
)

/** @returns What a label looks like, in Latin letters: labels that look alike give the same. */
export function skeleton(label: string): string {
  let text = ""
  for (const character of label.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()) {
    text += PROTOTYPES.get(character) ?? character
  }
  for (const [pair, letter] of CONFUSABLES.pairs) text = text.replaceAll(pair, letter)
  return text
}

const BY_SKELETON = new Map(BRANDS.entries.map((brand) => [skeleton(brand.label), brand]))
const OWN_DOMAINS = new Set(BRANDS.entries.flatMap(({ domains }) => domains))

/** Is the domain one that a brand truly has? */
export function belongsToBrand({ registrable }: Name): boolean {
  return OWN_DOMAINS.has(registrable)
}

/** @returns The brand that the text is or looks like. */
export function brandLike(text: string): Brand | undefined {
  return BY_SKELETON.get(skeleton(text))
}

/** As `brandLike`, for a text that is a skeleton already. */
export function brandOfSkeleton(text: string): Brand | undefined {
  return BY_SKELETON.get(text)
}

/** @returns The labels below the public suffix, in Unicode, outermost first. */
export function labelsOf({ unicode, suffix }: Name): string[] {
  return unicode.split(".").slice(0, -suffix.split(".").length)
}

/** @returns The label that was registered, in Unicode. */
export function registeredLabel(name: Name): string {
  return labelsOf(name).at(-1) ?? ""
}

/** Shorter labels have too many honest neighbours; of five letters, only swaps tell. */
const MIN_LENGTH = 5
const ONE_SLIP_LENGTH = 6
const TWO_SLIPS_LENGTH = 10

function slipsAllowed(length: number): number {
  return length >= TWO_SLIPS_LENGTH ? 2 : 1
}

/** Labels from which letters are left out → brands: equal remains bound the distance. */
const BY_REMAINS = new Map<string, Brand[]>()
for (const brand of BRANDS.entries) {
  if (brand.word === true || brand.label.length < MIN_LENGTH) continue
  for (const remains of remainsOf(brand.label, slipsAllowed(brand.label.length))) {
    BY_REMAINS.set(remains, [...(BY_REMAINS.get(remains) ?? []), brand])
  }
}

/**
 * @returns The brand from which a label differs by a slip or two of the hand: a letter left out,
 * added, changed or swapped with its neighbour.
 */
export function slipOf(label: string): Brand | undefined {
  if (HONEST_NEIGHBOURS.labels.has(label)) return undefined
  for (const remains of remainsOf(label, slipsAllowed(label.length + 1))) {
    const brand = BY_REMAINS.get(remains)?.find((candidate) => isSlip(label, candidate.label))
    if (brand !== undefined) return brand
  }
  return undefined
}

/** Hands seldom slip on the first letter, and honest names differ there (`pcloud`). */
function isSlip(label: string, brand: string): boolean {
  if (label[0] !== brand[0] && !isSwap(label, brand)) return false
  const slips = editDistance(label, brand)
  if (slips === 0 || slips > slipsAllowed(brand.length)) return false
  return brand.length >= ONE_SLIP_LENGTH || isSwap(label, brand)
}

function isSwap(label: string, brand: string): boolean {
  return label.length === brand.length && [...label].sort().join() === [...brand].sort().join()
}

function remainsOf(label: string, depth: number): Set<string> {
  const remains = new Set([label])
  let last = [label]
  for (let n = 0; n < depth; n++) {
    last = last.flatMap((text) => Array.from(text, (_, i) => text.slice(0, i) + text.slice(i + 1)))
    for (const text of last) remains.add(text)
  }
  return remains
}
