import { MAIL_PROVIDERS } from "../../lists/mail-providers.ts"
import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { mailHosts } from "../mail.ts"
import { isWithin } from "../site.ts"

/** Is the mail taken by a provider that knows its customers? */
export const mxKnownProvider: Rule = {
  code: "mx_known_provider",
  category: "email",
  says: {
    true: "Has its mail with a well-known provider",
    false: "Has its mail with no well-known provider",
  },
  judge: (observation) =>
    whenKnown(mailHosts(observation), (hosts) => {
      const known = hosts?.find((host) =>
        MAIL_PROVIDERS.suffixes.some((suffix) => isWithin(host, suffix)),
      )
      return found(known !== undefined, known)
    }),
}
