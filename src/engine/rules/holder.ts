/** Reading who the holder says to be: over the home page and the pages that tell of it. */
import type { Known, Observation, Page } from "../types.ts"
import type { StandardPage } from "./site.ts"
import { homePage, standardPage } from "./site.ts"

/**
 * Searches the home page and others for something that one of them is enough for.
 * @returns `value: undefined` only when every page was seen and none had it.
 */
export function onSomePage<T>(
  observation: Observation,
  others: readonly StandardPage[],
  search: (page: Page) => T | undefined,
): Known<T | undefined> {
  const pages = [homePage(observation), ...others.map((which) => standardPage(observation, which))]
  for (const page of pages) {
    const hit = "value" in page && page.value !== undefined ? search(page.value) : undefined
    if (hit !== undefined) return { value: hit }
  }
  return pages.find((page) => "unknown" in page) ?? { value: undefined }
}

const LEGAL_FORM =
  /\b(incorporated|inc|corporation|corp|company|co|limited|ltd|llc|llp|plc|gmbh|mbh|ag|kg|ug|se|sa|sas|sarl|srl|spa|bv|nv|ab|as|oy|aps|sro|kft|doo|pty|pte|kk)\b/g

/** @returns An organisation's name without accents, legal form, spaces and signs, to compare. */
export function bareName(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(".", "")
    .replace(LEGAL_FORM, " ")
    .replace(/[^\p{L}\p{N}]/gu, "")
}
