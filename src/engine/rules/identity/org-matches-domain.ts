import type { Rule } from "../../types.ts"
import { registeredLabel } from "../brand.ts"
import { found, whenKnown } from "../finding.ts"
import { bareName } from "../holder.ts"
import { homePage, isOwn } from "../site.ts"

/** A shorter name is part of too many others. */
const MIN_LENGTH = 3

/** Does an organisation that the page names fit the domain: by its URL, or by its name? */
export const orgMatchesDomain: Rule = {
  code: "org_matches_domain",
  category: "identity",
  says: {
    true: "Names an organisation that fits the domain",
    false: "Names no organisation that fits the domain",
  },
  judge: (observation) =>
    whenKnown(homePage(observation), ({ organisations }) => {
      const label = bareName(registeredLabel(observation.name))
      const fits = organisations.find(({ name = "", url }) => {
        if (url !== undefined) return isOwn(url, observation.name)
        const bare = bareName(name)
        const [short, long] = bare.length < label.length ? [bare, label] : [label, bare]
        return short.length >= MIN_LENGTH && long.includes(short)
      })
      return found(fits !== undefined, fits?.name ?? organisations[0]?.name)
    }),
}
