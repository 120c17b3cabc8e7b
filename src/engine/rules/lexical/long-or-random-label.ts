import { THRESHOLDS } from "../../lists/thresholds.ts"
import type { Rule } from "../../types.ts"
import { registeredLabel } from "../brand.ts"
import { found } from "../finding.ts"

/** Is the registered label longer than people choose, or one that nobody could say? */
export const longOrRandomLabel: Rule = {
  code: "long_or_random_label",
  category: "lexical",
  says: {
    true: "Has a very long name, or one that looks made by a machine",
    false: "Has a name of ordinary length and form",
  },
  judge({ name }) {
    const label = registeredLabel(name)
    if (label.length > THRESHOLDS.longLabelCharacters) {
      return found(true, `${label.length} characters`)
    }
    return isRandom(label) ? found(true, label) : found(false)
  },
}

/** Says nothing of other scripts than Latin without accents. */
function isRandom(label: string): boolean {
  if (label.length < THRESHOLDS.randomLabelCharacters || !/^[a-z0-9-]+$/.test(label)) return false
  const changes = label.match(/[a-z](?=[0-9])|[0-9](?=[a-z])/g)?.length ?? 0
  if (changes >= THRESHOLDS.letterDigitChanges) return true
  const letters = label.replace(/[^a-z]/g, "")
  if (letters.length < THRESHOLDS.randomLabelCharacters) return false
  const vowels = letters.replace(/[^aeiouy]/g, "").length
  if (vowels / letters.length < THRESHOLDS.vowelShare) return true
  return letters.split(/[aeiouy]/).some((run) => run.length >= THRESHOLDS.consonantRun)
}
