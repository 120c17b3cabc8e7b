/** Those who want to be taken for somebody else, and some who only look like it. */
import type { Character } from "../character.ts"
import { business } from "../web/business.ts"
import { html, site, toHttps } from "../web/respond.ts"
import { NEW, OLD, settled, WEB, YOUNG } from "./parts.ts"

/** Asks for a password in somebody else's name. */
const phishing = site({
  "/": html(
    "Log in to your account",
    `<h1>Log in</h1><form action="/next" method="post"><input name="email" type="email">
<input name="password" type="password"><button>Log in</button></form>
<p>Your account has been limited. Confirm your identity within 24 hours.</p>`,
    `<link rel="icon" href="https://www.paypalobjects.com/webstatic/icon/favicon.ico">`,
  ),
})

const trap = {
  zone: { records: [...WEB] },
  web: { http: toHttps, https: phishing, certificate: { fromDays: -2, untilDays: 88 } },
  registration: { registeredDaysAgo: 3, expiresInDays: 362 },
} satisfies Partial<Character>

export const impostors: readonly Character[] = [
  {
    name: "homoglyph",
    domain: "xn--pypl-53dc.test",
    story: "`pаypаl` with two Cyrillic letters, asking for a password.",
    because: "Looks like a brand to the eye, is three days old and sends no mail of its own.",
    expect: {
      action: "reject",
      risk: ["high", "critical"],
      evidence: ["homoglyph_of_brand", "idn_mixed_script", "domain_age_under_30d"],
    },
    ...trap,
  },
  {
    name: "typosquat",
    domain: "paypall.test",
    story: "One letter more than a brand, asking for a password.",
    because: "A slip of the finger away from a brand, new, and with nothing but a form.",
    expect: {
      action: "reject",
      risk: ["high", "critical"],
      evidence: ["typosquat_of_brand", "domain_age_under_30d"],
      absent: ["homoglyph_of_brand"],
    },
    ...trap,
  },
  {
    name: "brand-plus-keyword",
    domain: "paypal-login-secure.test",
    story: "A brand's name with the words of a log-in page, asking for a password.",
    because: "Brands do not register such names; fraud does, for days.",
    expect: {
      action: "reject",
      risk: ["high", "critical"],
      evidence: ["brand_plus_keyword", "domain_age_under_30d"],
    },
    ...trap,
  },
  {
    name: "brand-phish-aged",
    domain: "account-verify-microsoft.test",
    story: "The same trick on a name that was kept for four months before use.",
    because: "Ageing a name is cheap: brand and keywords still tell.",
    expect: {
      action: "reject",
      risk: ["high", "critical"],
      evidence: ["brand_plus_keyword", "domain_age_under_1y"],
      absent: ["domain_age_under_30d"],
    },
    ...trap,
    registration: YOUNG,
  },
  {
    name: "random-label",
    domain: "xk7q9vzt2hw4p8rbn3mf6.test",
    story: "A long name without sense, a week old, that promises guaranteed returns.",
    because: "Made by a machine, used within days, without mail or any way to reach its holder.",
    expect: {
      action: "reject",
      evidence: ["long_or_random_label", "domain_age_under_30d"],
      absent: ["brand_plus_keyword", "typosquat_of_brand"],
    },
    ...trap,
    web: {
      http: toHttps,
      https: business({
        name: "Payment Portal",
        domain: "xk7q9vzt2hw4p8rbn3mf6.test",
        does: "offers investments with guaranteed returns",
        polished: false,
        pages: [],
      }),
    },
    registration: NEW,
  },
  {
    name: "keyword-without-brand",
    story: "An old maker of door locks whose name holds words of a log-in page.",
    because: "Keywords alone accuse nobody.",
    expect: {
      action: "approve",
      evidence: ["domain_age_over_5y"],
      absent: ["brand_plus_keyword", "typosquat_of_brand", "homoglyph_of_brand"],
    },
    ...settled({
      name: "Secure Login Locks",
      domain: "secure-login-lab.test",
      does: "makes locks for doors and safes",
    }),
    registration: OLD,
  },
]
