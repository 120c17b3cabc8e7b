import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { homePage } from "../site.ts"

/** Does the home page name its organisation for machines (schema.org)? */
export const orgSchemaPresent: Rule = {
  code: "org_schema_present",
  category: "identity",
  says: {
    true: "Names its organisation in structured data",
    false: "Names no organisation in structured data",
  },
  judge: (observation) =>
    whenKnown(homePage(observation), ({ organisations }) =>
      found(organisations.length > 0, organisations[0]?.name),
    ),
}
