import type { Rule } from "../../types.ts"
import { found } from "../finding.ts"

/** Does the name lie under the private part of the Public Suffix List? */
export const sharedHostingSuffix: Rule = {
  code: "shared_hosting_suffix",
  category: "lexical",
  says: {
    true: "Lies under a suffix where anyone gets a name at once",
    false: "Is a name of its own, not one under a shared platform",
  },
  judge: ({ name }) => (name.shared ? found(true, name.suffix) : found(false)),
}
