import type { Rule } from "../../types.ts"
import { labelsOf } from "../brand.ts"
import { found } from "../finding.ts"

const SCRIPTS = [
  "Latin",
  "Cyrillic",
  "Greek",
  "Armenian",
  "Hebrew",
  "Arabic",
  "Georgian",
  "Thai",
  "Devanagari",
  "Cherokee",
  "Han",
  "Hiragana",
  "Katakana",
  "Bopomofo",
  "Hangul",
]
const TESTS = SCRIPTS.map((script) => [script, new RegExp(`\\p{Script=${script}}`, "u")] as const)

/** Scripts that are written together (UTS #39 §5.2, "highly restrictive"). */
const TOGETHER: readonly ReadonlySet<string>[] = [
  new Set(["Latin", "Han", "Hiragana", "Katakana"]),
  new Set(["Latin", "Han", "Bopomofo"]),
  new Set(["Latin", "Han", "Hangul"]),
]

/** Does one label mix scripts that nobody writes together? */
export const idnMixedScript: Rule = {
  code: "idn_mixed_script",
  category: "lexical",
  says: {
    true: "Mixes scripts that are not written together within one label",
    false: "Keeps each label to one script",
  },
  judge({ name }) {
    if (name.unicode === name.host) return found(false)
    for (const label of labelsOf(name)) {
      const scripts = TESTS.filter(([, test]) => test.test(label)).map(([script]) => script)
      const apart = TOGETHER.every((set) => scripts.some((script) => !set.has(script)))
      if (scripts.length > 1 && apart) return found(true, `${label}: ${scripts.join(" and ")}`)
    }
    return found(false)
  },
}
