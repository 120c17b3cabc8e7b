/** Every signal with what it says and what it is worth, for people who look one up. */
import type { Worth } from "./points.ts"
import { POINTS } from "./points.ts"
import { RULES } from "./rules/rules.ts"
import type { Category, Rule } from "./types.ts"
import { CATEGORIES } from "./types.ts"

export interface Signal extends Pick<Rule, "code" | "says"> {
  readonly worth: Worth | undefined
}

/** By category, in the order of the rules; categories without rules are left out. */
export const CATALOGUE: readonly {
  readonly category: Category
  readonly signals: readonly Signal[]
}[] = CATEGORIES.map((category) => ({
  category,
  signals: RULES.filter((rule) => rule.category === category).map(({ code, says }) => ({
    code,
    says,
    worth: POINTS[code],
  })),
})).filter(({ signals }) => signals.length > 0)
