import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { mailHosts } from "../mail.ts"

/** Does the domain say outright that it takes no mail (RFC 7505)? */
export const nullMx: Rule = {
  code: "null_mx",
  category: "email",
  says: {
    true: "Says outright that it takes no mail",
    false: "Does not refuse mail outright",
  },
  judge: (observation) => whenKnown(mailHosts(observation), (hosts) => found(hosts === null)),
}
