/**
 * What each finding is worth, and why. Kept apart from the rules, which know no points.
 *
 * Started from judgement, informed by labelled names: registration age and term separate most, then
 * content and likeness to brands, then mail, proofs of control, DNSSEC and certificate life; HTTPS
 * and headers hardly separate and weigh little, but a certificate that fails its visitors does not.
 * Invariant: whatever costs nothing adds up to less than the newness of a name takes away, so that
 * no name under thirty days old is approved, whatever it shows (`points.test.ts`).
 */

/** Version of rules, lists and points together: the same one gives the same verdict. */
export const RULESET = "2026.11.1"

/** Where a name of which nothing is known stands: neither for nor against it. */
export const BASE = 50

export interface Worth {
  /** Points when the signal is true, and when it is false. Unknown is always worth none. */
  readonly true: number
  readonly false: number
  readonly because: string
}

export const POINTS: Readonly<Record<string, Worth>> = {
  dns_resolves: worth(0, -8, "A name without an address cannot be visited or dealt with."),
  dns_nxdomain: worth(-25, 0, "Nobody can be reached under a name that does not exist."),
  dns_servfail: worth(-5, 0, "A broken zone is a business that nobody looks after."),
  has_ipv6: worth(0, 0, "Care, but names made to deceive have it as often, by their networks."),
  ns_redundant: worth(1, -2, "Two name servers are the rule of the DNS; one is neglect."),
  ns_network_diverse: worth(1, 0, "Servers in two networks are what steady operators have."),
  dnssec_signed: worth(
    3,
    0,
    "Few names made to deceive are signed; most honest ones are not either.",
  ),
  dnssec_validated: worth(1, 0, "Verified answers are surely those of the zone's holder."),
  dnssec_bogus: worth(-10, 0, "Answers that do not verify are forged or neglected."),
  has_caa: worth(
    1,
    0,
    "Naming one's authorities is care that hardly anyone takes for a throw-away name.",
  ),
  low_ttl_only: worth(0, 0, "Honest names on content networks do this as often as others."),
  service_verification_txt: worth(
    4,
    -1,
    "Names in daily use are verified with services; throw-away names seldom are.",
  ),

  has_mx_records: worth(3, -3, "A business that deals with people takes mail at its name."),
  null_mx: worth(1, 0, "Refusing mail outright is a decision, not neglect."),
  mx_known_provider: worth(1, 0, "Such providers bill their customers and answer complaints."),
  spf_present: worth(1, -1, "Whoever sends mail in earnest says from where."),
  spf_hard_fail: worth(1, 0, "Forged mail in this name is refused."),
  spf_permissive: worth(-4, 0, "Anyone may send mail in this name, by its holder's own word."),
  spf_lookup_limit_exceeded: worth(
    -1,
    0,
    "Mail from this name may be taken for forged: neglect, not ill will.",
  ),
  dmarc_present: worth(1, 0, "Somebody looks after the name's mail."),
  dmarc_enforced: worth(
    2,
    0,
    "It takes work to have forged mail stopped without losing one's own.",
  ),
  mta_sts_enforced: worth(1, 0, "Few take this care, and none for a throw-away name."),
  tls_rpt_present: worth(0, 0, "Good practice that separates nobody."),
  bimi_present: worth(1, 0, "A logo in the mailbox takes an enforced policy first."),

  uses_https: worth(
    1,
    -6,
    "HTTPS is what everyone has; sending visitors away from it exposes them.",
  ),
  cert_valid_chain: worth(
    0,
    -20,
    "Browsers warn visitors off, and nobody can tell whose server this is.",
  ),
  cert_hostname_match: worth(
    0,
    -20,
    "Browsers warn visitors off: the certificate is somebody else's.",
  ),
  cert_expired: worth(
    -20,
    0,
    "Browsers warn visitors off: nobody has looked after the site since.",
  ),
  cert_self_signed: worth(-5, 0, "A certificate of one's own making proves nothing to a stranger."),
  cert_organisation_validated: worth(
    3,
    0,
    "An authority checked who the holder is, for money and by documents.",
  ),
  cert_lifetime_long: worth(2, 0, "Paid certificates are rarer among names made to deceive."),
  cert_recently_issued: worth(0, 0, "Renewal is automatic and frequent: alone it says nothing."),
  cert_sct_present: worth(0, -1, "Browsers ask for the proof, so every public authority gives it."),
  tls_modern: worth(0, -4, "A server that speaks only outdated TLS has been left alone for years."),

  http_reachable: worth(0, -3, "A business without a site shows nothing to judge it by."),
  http_redirects_https: worth(
    1,
    -3,
    "Visitors who type the name stay on a connection that anyone can read.",
  ),
  redirects_off_domain: worth(
    -5,
    0,
    "What visitors get is another domain's, so nothing seen vouches for this one.",
  ),
  hsts_enabled: worth(1, 0, "Good practice; hardly separates."),
  csp_present: worth(1, 0, "Good practice; hardly separates."),
  frame_protection: worth(1, 0, "Good practice; hardly separates."),
  nosniff: worth(0, 0, "Good practice that separates nobody."),
  cookies_secure: worth(0, -1, "Cookies in clear expose whoever logs in."),
  server_error: worth(-5, 0, "A site that is out of order is a business that may be too."),
  bot_challenge: worth(
    0,
    0,
    "Honest and other sites do so; what lies behind it is unknown, not bad.",
  ),

  title_present: worth(0, -2, "A page without a title was not made for people."),
  canonical_matches: worth(0, -6, "A copied page still names the original's address."),
  favicon_present: worth(1, 0, "A small sign that somebody made the site."),
  parked_page: worth(
    -22,
    0,
    "There is no business behind a parked name, and it may change hands any day.",
  ),
  default_server_page: worth(-15, 0, "There is a server, but nobody has put a site on it."),
  thin_page: worth(-3, 0, "There is little to judge by; pages built by scripts look so too."),
  has_privacy_page: worth(2, -2, "The law asks it of whoever deals with people."),
  has_terms_page: worth(2, -1, "Who sells, says on what terms."),
  has_contact_page: worth(2, -2, "Who wants to be found, says where."),
  security_txt_valid: worth(1, 0, "Somebody answers for the site's security."),

  domain_age_under_30d: worth(
    -20,
    0,
    "Most names made to deceive are used within their first weeks.",
  ),
  domain_age_under_1y: worth(
    -10,
    0,
    "Half of the deceiving names and few of the honest ones are so young.",
  ),
  domain_age_over_5y: worth(
    12,
    0,
    "Years of renewal cost patience and money; deceit is seldom so patient.",
  ),
  registration_multi_year: worth(4, 0, "Who pays ahead means to stay."),
  expires_soon: worth(-1, 0, "Mostly renewed by itself, but it may not be."),
  recent_transfer: worth(-3, 0, "A name that has just moved may have a new holder."),
  rdap_hold_status: worth(-15, 0, "Names are put on hold for abuse, dispute or debt."),
  registrar_lock: worth(1, 0, "Keeps the name from being taken away."),

  org_schema_present: worth(1, 0, "The site says who is behind it."),
  org_matches_domain: worth(1, 0, "Who is named and what the site is called fit."),
  org_matches_cert: worth(2, 0, "What the site says of its holder, an authority has checked."),
  social_links_present: worth(1, 0, "Accounts elsewhere can be compared with."),
  contact_email_on_domain: worth(1, 0, "Who writes from the domain controls it."),
  legal_entity_id: worth(2, 0, "The holder can be looked up in a public register."),

  idn_mixed_script: worth(-8, 0, "Nobody writes so but to look like somebody else."),
  homoglyph_of_brand: worth(-30, 0, "Such a name exists to be taken for the brand's."),
  typosquat_of_brand: worth(-22, 0, "Such a name waits for people who mistype the brand's."),
  brand_plus_keyword: worth(-22, 0, "The commonest form of a name made for phishing."),
  digit_heavy_label: worth(-5, 0, "Four times as common among names made to deceive."),
  long_or_random_label: worth(-4, 0, "Names made by the hundred look so."),
  shared_hosting_suffix: worth(
    -6,
    0,
    "The name costs nothing, takes minutes and vouches for nobody; many honest sites have one too.",
  ),
}

function worth(whenTrue: number, whenFalse: number, because: string): Worth {
  return { true: whenTrue, false: whenFalse, because }
}
