/** What characters are put together from: zone lines, registrations, an ordinary business. */
import type { Character, Registered, Zone } from "../character.ts"
import type { Business } from "../web/business.ts"
import { business, CAREFUL_HEADERS } from "../web/business.ts"
import { toHttps } from "../web/respond.ts"

export const WEB = ["@ A {ipv4}", "www CNAME @"] as const
export const IPV6 = "@ AAAA {ipv6}"
export const MAIL = [
  "@ MX 10 mx1.mail-lab.test",
  "@ MX 20 mx2.mail-lab.test",
  "@ TXT v=spf1 include:_spf.mail-lab.test -all",
  "_dmarc TXT v=DMARC1; p=reject; rua=mailto:dmarc@mail-lab.test",
] as const
/** Says that nobody sends mail (RFC 7505, RFC 7208, RFC 7489). */
export const NO_MAIL = ["@ MX 0 .", "@ TXT v=spf1 -all", "_dmarc TXT v=DMARC1; p=reject"] as const

export const OLD: Registered = { registeredDaysAgo: 9 * 365 + 40, expiresInDays: 2 * 365 }
export const GROWN: Registered = { registeredDaysAgo: 3 * 365, expiresInDays: 200 }
export const YOUNG: Registered = { registeredDaysAgo: 120, expiresInDays: 245 }
export const NEW: Registered = { registeredDaysAgo: 6, expiresInDays: 359 }

export const ZONE: Zone = { records: [...WEB, IPV6, ...MAIL] }

type Setting = Pick<Character, "domain" | "zone" | "web" | "registration">

/** An old business that does most things right: what a character differs from in one thing. */
export function settled(about: Business): Setting {
  return {
    domain: about.domain,
    zone: ZONE,
    web: { http: toHttps, https: business({ headers: CAREFUL_HEADERS, ...about }) },
    registration: OLD,
  }
}

/** An old business with a plain site and little hygiene. */
export function ordinary(about: Business): Setting {
  return {
    domain: about.domain,
    zone: { records: [...WEB, "@ MX 10 mx1.mail-lab.test", "@ TXT v=spf1 mx ~all"] },
    web: {
      http: toHttps,
      https: business({ polished: false, pages: ["privacy", "contact", "about"], ...about }),
    },
    registration: OLD,
  }
}

/** A young one with even less: what hostile servers hide behind. */
export function modest(about: Business): Setting {
  return { ...ordinary({ pages: ["contact"], ...about }), registration: YOUNG }
}
