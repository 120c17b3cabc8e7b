import { LEGAL_IDENTIFIERS } from "../../lists/legal-identifiers.ts"
import type { Page, Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { onSomePage } from "../holder.ts"

/** Does the site give a number under which its holder can be looked up in a register? */
export const legalEntityId: Rule = {
  code: "legal_entity_id",
  category: "identity",
  says: {
    true: "Gives a number from a register of companies or taxes",
    false: "Gives no number from a register of companies or taxes",
  },
  judge: (observation) =>
    whenKnown(onSomePage(observation, ["imprint", "contact", "about", "terms"], identifier), (id) =>
      found(id !== undefined, id),
    ),
}

function identifier({ organisations, text }: Page): string | undefined {
  const told = organisations.find((organisation) => organisation.identifier !== undefined)
  if (told?.identifier !== undefined) return told.identifier
  if (!/\d\d/.test(text)) return undefined
  for (const pattern of LEGAL_IDENTIFIERS.patterns) {
    const match = pattern.exec(text)
    if (match !== null) return match[0]
  }
  return undefined
}
