import { SOCIAL_HOSTS } from "../../lists/social-hosts.ts"
import type { Rule } from "../../types.ts"
import { found, whenKnown } from "../finding.ts"
import { homePage, hostOf } from "../site.ts"

const HOSTS = new Set(SOCIAL_HOSTS.hosts)

/** Does the home page link to the holder's accounts elsewhere? A network's own home is none. */
export const socialLinksPresent: Rule = {
  code: "social_links_present",
  category: "identity",
  says: {
    true: "Links to accounts on social networks",
    false: "Links to no account on a social network",
  },
  judge: (observation) =>
    whenKnown(homePage(observation), ({ links }) => {
      const account = links.find(({ url }) => {
        const host = hostOf(url).replace(/^(www|m|[a-z]{2})\./, "")
        return HOSTS.has(host) && /^https?:\/\/[^/]+\/[^/?#]/i.test(url)
      })
      return found(account !== undefined, account?.url)
    }),
}
