/**
 * The verdict in words: one sentence, and what the person who decides can do next.
 *
 * Owns: the table of steps and the wording. Not: points. Invariant: everything follows from the
 * findings, in their order, and no stranger's text gets into it.
 */
import type { Category, Insight, Verdict, Why } from "./types.ts"

/** A finding in one state, as it is told. */
export interface Told {
  readonly code: string
  readonly category: Category
  readonly state: boolean
  readonly points: number
  /** What the rule says of it. */
  readonly says: string
}

const MAX_STEPS = 5
/** Lighter findings are no news in one sentence. */
const MIN_POINTS_OF_NEWS = 2

const NOTHING_THERE = "Ask which address they use: nothing can be reached under this name."

/** What to do about a finding, by code and the state that asks for it. */
const STEPS: Readonly<Record<string, readonly [state: boolean, step: string]>> = {
  dns_nxdomain: [true, NOTHING_THERE],
  dns_resolves: [false, NOTHING_THERE],
  dns_servfail: [true, "Look again tomorrow: the zone is broken at the moment."],
  dnssec_bogus: [
    true,
    "Tell the holder that the zone's signatures do not verify, and look again once they do.",
  ],
  has_mx_records: [
    false,
    "Ask for a mail address at their own domain, or how else they are reached.",
  ],
  spf_permissive: [true, "Do not act on mail from this name alone: anyone may send it."],
  uses_https: [false, "Do not enter data on the site: it is not encrypted."],
  cert_valid_chain: [
    false,
    "Do not enter data on the site; ask the holder for a certificate from a trusted authority.",
  ],
  cert_hostname_match: [
    false,
    "Do not enter data on the site; ask the holder to install the right certificate.",
  ],
  cert_expired: [true, "Ask the holder to renew the certificate, and look again."],
  redirects_off_domain: [
    true,
    "Have the domain analysed that visitors are sent to; ask how the two belong together.",
  ],
  server_error: [true, "Look again tomorrow: the site is out of order at the moment."],
  bot_challenge: [true, "Open the site in a browser: it turns automatic visitors away."],
  canonical_matches: [
    false,
    "Compare the page with the domain that it claims as its address: one may be a copy.",
  ],
  parked_page: [true, "Ask for the site that they trade on: this one is parked."],
  default_server_page: [true, "Ask for the site that they trade on: there is none here yet."],
  thin_page: [true, "Open the site in a browser: it may need scripts to show itself."],
  has_terms_page: [false, "Ask for their terms in writing."],
  has_contact_page: [false, "Ask for their address and telephone number, and check one of them."],
  domain_age_under_30d: [
    true,
    "Ask for proof of the business from before the name: a register extract, an invoice, a bank letter.",
  ],
  domain_age_under_1y: [true, "Ask how long they have traded, and under what name before."],
  expires_soon: [true, "Look again after the registration's end: it may not be renewed."],
  recent_transfer: [true, "Ask whether the domain has changed hands lately."],
  rdap_hold_status: [true, "Ask the holder why the registry put the name on hold."],
  homoglyph_of_brand: [
    true,
    "Compare the name letter by letter with the brand's own, and ask the brand whether it is theirs.",
  ],
  typosquat_of_brand: [true, "Check the spelling: the brand's own domain may be meant."],
  brand_plus_keyword: [
    true,
    "Reach the brand by its own domain, and ask whether this one is theirs.",
  ],
  shared_hosting_suffix: [
    true,
    "Ask for a domain of their own: anyone gets a name under this suffix.",
  ],
}

/** What to do about what could not be seen, by reason. */
const UNSEEN_STEPS: Partial<Readonly<Record<Why, string>>> = {
  timeout: "Look again in an hour: what did not answer in time may answer then.",
  deadline: "Look again in an hour: the time was over before everything was seen.",
  servfail: "Look again in an hour: the resolver failed.",
  refused: "Ask whether the site has moved: its server refuses connections.",
  unreachable: "Ask which address they use: part of what the name leads to cannot be reached.",
  blocked: "Ask why the name leads to an address inside a private network.",
  challenge: "Open the site in a browser: it turns automatic visitors away.",
}

const UNSEEN_REGISTRATION =
  "Ask since when they have had the name: its registration could not be seen."

export interface Unseen {
  readonly category: Category
  readonly because: Why
}

function isNothingThere(told: readonly Told[]): boolean {
  return told.some(
    ({ code, state }) => STEPS[code]?.[0] === state && STEPS[code]?.[1] === NOTHING_THERE,
  )
}

/**
 * @param told - Known findings, weightiest first.
 * @param unseen - What is unknown and why, weightiest first.
 */
export function nextSteps(
  action: Verdict["recommended_action"],
  told: readonly Told[],
  unseen: readonly Unseen[],
): string[] {
  const steps = [
    ...told.map(({ code, state }) => {
      const [asking, step] = STEPS[code] ?? []
      return asking === state ? step : undefined
    }),
    ...unseen
      .filter(({ because }) => because !== "unreachable" || !isNothingThere(told))
      .map(({ category, because }) =>
        category === "registration" && because !== "platform"
          ? UNSEEN_REGISTRATION
          : UNSEEN_STEPS[because],
      ),
  ].filter((step) => step !== undefined)
  const first = [...new Set(steps)].slice(0, MAX_STEPS)
  if (action === "reject")
    return ["Do not go on with this name before the rest is answered.", ...first].slice(
      0,
      MAX_STEPS,
    )
  if (first.length > 0) return first
  return action === "approve"
    ? ["Nothing stands in the way; look again when what is at stake grows."]
    : ["Ask for proof of who is behind the name: too little speaks for it or against it."]
}

/**
 * @returns One sentence: the weightiest finding of the side that prevails, the next of another
 * category, and the weightiest of the other side.
 */
export function summarize(
  verdict: Pick<Verdict, "trust_score" | "risk_level" | "confidence">,
  told: readonly Told[],
): string {
  const { trust_score, risk_level, confidence } = verdict
  const level = `${risk_level.charAt(0).toUpperCase()}${risk_level.slice(1)} risk, ${trust_score} of 100`
  const news = told.filter(({ points }) => Math.abs(points) >= MIN_POINTS_OF_NEWS)
  const good = news.filter(({ points }) => points > 0)
  const bad = news.filter(({ points }) => points < 0)
  const [side, other] = risk_level === "low" ? [good, bad[0]] : [bad, good[0]]
  const [first] = side
  const second = side.find(({ category }) => category !== first?.category)
  const clauses = [
    [first, second].flatMap(clause).join(" and "),
    ...[other].flatMap(clause),
  ].filter((text) => text !== "")
  const doubt = confidence < 0.5 ? ", and too little could be seen to be sure" : ""
  if (clauses.length === 0) return `${level}: little speaks for this name or against it${doubt}.`
  return `${level}: this name ${clauses.join(", but ")}${doubt}.`
}

function clause(told: Told | undefined): string[] {
  return told === undefined ? [] : [told.says.charAt(0).toLowerCase() + told.says.slice(1)]
}

const NOT_SEEN: Readonly<Record<Why, string>> = {
  timeout: "there was no answer in time",
  deadline: "the time for the whole observation was over",
  refused: "the connection was refused",
  unreachable: "there is no address, or no way to it",
  servfail: "the resolver failed",
  blocked: "it leads to an address that is not visited",
  challenge: "a bot challenge or a login stood in the way",
  malformed: "the answer does not parse",
  too_large: "the answer is larger than what is read",
  server_error: "the server reported an error of its own",
  tls_failed: "no HTTPS connection came about",
  not_offered: "nobody offers it",
  platform: "it describes the shared platform, not this name",
  not_observed: "it lies beyond what is looked at or can be believed",
}

const SUBJECT: Readonly<Record<Insight["category"], string>> = {
  dns: "DNS",
  email: "Mail",
  tls: "TLS",
  http: "HTTP",
  content: "Content",
  registration: "Registration",
  identity: "Identity",
  lexical: "The name's form",
  reputation: "Reputation",
  score: "The score",
}

/** @param whole - Nothing of the category was seen. */
export function unseenTitle(category: Insight["category"], because: Why, whole: boolean): string {
  const subject = whole ? SUBJECT[category] : `${SUBJECT[category]}, in part,`
  return `${subject} could not be seen: ${NOT_SEEN[because]}`
}
