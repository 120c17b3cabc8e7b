import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { onSomePage } from "../holder.ts"
import { isWithin } from "../site.ts"

/** Does the site give a mail address at its own domain? */
export const contactEmailOnDomain: Rule = {
  code: "contact_email_on_domain",
  category: "identity",
  says: {
    true: "Gives a mail address at its own domain",
    false: "Gives no mail address at its own domain",
  },
  judge: (observation) => {
    const address = onSomePage(observation, ["contact", "imprint"], ({ emails }) =>
      emails.find((email) =>
        isWithin(
          email.slice(email.lastIndexOf("@") + 1).toLowerCase(),
          observation.name.registrable,
        ),
      ),
    )
    // Only that there is one is shown: an address may be a person's.
    return whenKnown(address, (email) => found(email !== undefined))
  },
}
