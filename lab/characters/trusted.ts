/** Those who deserve to be let in. */
import type { Character } from "../character.ts"
import { refused } from "../web/answer.ts"
import { CAREFUL_HEADERS } from "../web/business.ts"
import { IPV6, MAIL, OLD, ordinary, settled, WEB } from "./parts.ts"

const shop = {
  name: "Linden Shop",
  domain: "lindenshop.test",
  does: "sells household goods made of linden wood, by post since 2004",
  securityTxt: true,
}

const bank = {
  name: "Harbour Bank",
  domain: "harbourbank.test",
  does: "keeps the savings of a harbour town and lends to its boat builders",
  securityTxt: true,
  mtaSts: "version: STSv1\r\nmode: enforce\r\nmx: *.mail-lab.test\r\nmax_age: 604800\r\n",
  headers: {
    ...CAREFUL_HEADERS,
    "set-cookie": "visit=1; Path=/; Secure; HttpOnly; SameSite=Lax",
  },
}

const archive = {
  name: "Sealed Archive",
  domain: "sealed-archive.test",
  does: "scans and keeps the papers of notaries",
}

export const trusted: readonly Character[] = [
  {
    name: "good-shop",
    story: "An established shop with all that a careful owner has.",
    because: "Old and registered for years, real content and contact, good mail and web hygiene.",
    expect: {
      action: "approve",
      risk: ["low"],
      evidence: [
        "dns_resolves",
        "has_ipv6",
        "ns_redundant",
        "has_caa",
        "service_verification_txt",
        "has_mx_records",
        "mx_known_provider",
        "spf_present",
        "spf_hard_fail",
        "dmarc_present",
        "dmarc_enforced",
        "uses_https",
        "cert_valid_chain",
        "cert_hostname_match",
        "cert_sct_present",
        "tls_modern",
        "http_reachable",
        "http_redirects_https",
        "hsts_enabled",
        "csp_present",
        "nosniff",
        "title_present",
        "canonical_matches",
        "favicon_present",
        "has_privacy_page",
        "has_terms_page",
        "has_contact_page",
        "domain_age_over_5y",
      ],
      absent: [
        "dns_nxdomain",
        "dnssec_signed",
        "parked_page",
        "default_server_page",
        "thin_page",
        "cert_expired",
        "cert_self_signed",
        "domain_age_under_30d",
        "homoglyph_of_brand",
        "typosquat_of_brand",
        "brand_plus_keyword",
      ],
    },
    ...settled(shop),
    zone: {
      records: [
        ...WEB,
        IPV6,
        "@ MX 1 smtp.google.com",
        "@ TXT v=spf1 include:_spf.google.com -all",
        "@ TXT google-site-verification=Zm9yIHRoZSBsYWIgb25seSwgbm90aGluZyBlbHNlIQA",
        "_dmarc TXT v=DMARC1; p=reject; rua=mailto:dmarc@lindenshop.test",
        "@ CAA 0 issue lab-authority.test",
      ],
    },
  },
  {
    name: "bank",
    story: "A bank with everything right.",
    because: "Organisation-validated, signed zone, strict mail and web policies, decades old.",
    expect: {
      action: "approve",
      risk: ["low"],
      evidence: [
        "dnssec_signed",
        "dnssec_validated",
        "has_caa",
        "ns_network_diverse",
        "dmarc_enforced",
        "mta_sts_enforced",
        "tls_rpt_present",
        "cert_organisation_validated",
        "cert_valid_chain",
        "hsts_enabled",
        "csp_present",
        "frame_protection",
        "cookies_secure",
        "security_txt_valid",
        "domain_age_over_5y",
        "registration_multi_year",
        "registrar_lock",
      ],
      absent: ["dnssec_bogus", "null_mx", "spf_permissive"],
    },
    ...settled(bank),
    zone: {
      signed: "valid",
      records: [
        ...WEB,
        IPV6,
        ...MAIL,
        "@ TXT MS=ms12345678",
        "@ CAA 0 issue lab-authority.test",
        "@ CAA 0 iodef mailto:security@harbourbank.test",
        "mta-sts CNAME @",
        "_mta-sts TXT v=STSv1; id=20260101000000Z",
        "_smtp._tls TXT v=TLSRPTv1; rua=mailto:tls@harbourbank.test",
        "default._bimi TXT v=BIMI1; l=https://harbourbank.test/logo.svg",
      ],
    },
    web: { ...settled(bank).web, certificate: { organisation: "Harbour Bank plc" } },
    registration: {
      registeredDaysAgo: 26 * 365,
      expiresInDays: 6 * 365,
      statuses: [
        "client transfer prohibited",
        "client delete prohibited",
        "client update prohibited",
        "server transfer prohibited",
      ],
    },
  },
  {
    name: "small-honest",
    story: "A joiner's plain site of long ago, with little hygiene and nothing to hide.",
    because: "Hygiene hardly separates honest from dishonest: age, content and contact do.",
    expect: {
      action: "approve",
      evidence: ["uses_https", "http_reachable", "has_contact_page", "domain_age_over_5y"],
      absent: ["hsts_enabled", "csp_present", "dnssec_signed", "dmarc_present", "thin_page"],
    },
    ...ordinary({
      name: "Lindner Joinery",
      domain: "lindner-joinery.test",
      does: "builds staircases, windows and doors for old houses",
    }),
  },
  {
    name: "subdomain-behind-cdn",
    story: "A shop on a subdomain whose addresses lie behind a chain of aliases.",
    because: "An alias is ordinary; the registration is of the domain above.",
    expect: {
      action: "approve",
      evidence: ["dns_resolves", "uses_https", "cert_hostname_match", "domain_age_over_5y"],
    },
    ...settled({
      name: "Northwind Store",
      domain: "store.northwind-lab.test",
      does: "sells sails, ropes and foul-weather clothing",
    }),
    zone: {
      origin: "northwind-lab.test",
      records: [
        ...MAIL,
        "@ A {ipv4}",
        "www CNAME @",
        "store CNAME store.edge.northwind-lab.test",
        "store.edge CNAME node7.edge.northwind-lab.test",
        "node7.edge A {ipv4}",
        "node7.edge AAAA {ipv6}",
      ],
    },
  },
  {
    name: "second-level-suffix",
    story: "A bookseller under a public suffix of two labels.",
    because: "The registrable name is one label below `co.uk`, and that is what is old.",
    expect: {
      action: "approve",
      evidence: ["dns_resolves", "http_reachable", "domain_age_over_5y"],
      absent: ["shared_hosting_suffix"],
    },
    ...settled({
      name: "Marlow Books",
      domain: "marlow-books-lab.co.uk",
      does: "sells second-hand books and maps of the Thames valley",
    }),
  },
  {
    name: "https-only",
    story: "A site that closed port 80 for good.",
    because: "Without plain HTTP there is nothing to redirect; that is no fault.",
    expect: {
      action: "approve",
      evidence: ["uses_https", "http_reachable", "hsts_enabled"],
    },
    ...settled(archive),
    web: { ...settled(archive).web, http: refused },
  },
  {
    name: "ipv6-only",
    story: "A network company that has left IPv4.",
    because: "An AAAA record is an address like any other.",
    expect: {
      action: "approve",
      evidence: ["dns_resolves", "has_ipv6", "uses_https", "http_reachable"],
    },
    ...settled({
      name: "Six Networks",
      domain: "sixnetworks.test",
      does: "plans networks for villages that the carriers forgot",
    }),
    zone: { records: ["@ AAAA {ipv6}", "www CNAME @", ...MAIL] },
  },
  {
    name: "honest-idn",
    story: "A bookbinder with an umlaut in the name.",
    because: "One script throughout, and no brand that it looks like.",
    expect: {
      action: "approve",
      evidence: ["dns_resolves", "http_reachable"],
      absent: ["idn_mixed_script", "homoglyph_of_brand", "typosquat_of_brand"],
    },
    ...settled({
      name: "Bücherei Lindau",
      domain: "xn--bcherei-lindau-gsb.test",
      does: "binds and restores books by hand",
    }),
  },
  {
    name: "rdap-redirected",
    story: "A brewery whose registry sends askers on to the registrar.",
    because: "Following the redirect is how real registries are read.",
    expect: { action: "approve", evidence: ["domain_age_over_5y", "http_reachable"] },
    ...settled({
      name: "Hop and Barley",
      domain: "hop-and-barley.test",
      does: "brews four beers and pours them in its own yard",
    }),
    registration: { ...OLD, redirected: true },
  },
]
