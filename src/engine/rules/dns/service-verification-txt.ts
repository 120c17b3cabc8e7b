import { VERIFICATION_TXT } from "../../lists/verification-txt.ts"
import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { zoneAnswer } from "../zone.ts"

/** Did the holder prove control of the domain to a service that he uses? */
export const serviceVerificationTxt: Rule = {
  code: "service_verification_txt",
  category: "dns",
  says: {
    true: "Was verified with services that its holder uses",
    false: "Was verified with no service that is known here",
  },
  judge: (observation) =>
    whenKnown(zoneAnswer(observation, "txt"), ({ records }) => {
      const prefixes = records.flatMap(({ data }) => {
        const text = data.toLowerCase()
        return VERIFICATION_TXT.prefixes.filter((prefix) => text.startsWith(prefix))
      })
      return found(prefixes.length > 0, [...new Set(prefixes)].join(", "))
    }),
}
