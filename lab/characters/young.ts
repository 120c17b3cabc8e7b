/** Where the registration decides: new, moving, expiring, held, or not to be seen. */
import type { Character } from "../character.ts"
import { refused } from "../web/answer.ts"
import { business } from "../web/business.ts"
import { toHttps } from "../web/respond.ts"
import { GROWN, NEW, OLD, ordinary, settled } from "./parts.ts"

const bakery = {
  name: "Fresh Bakery",
  domain: "fresh-bakery.test",
  does: "bakes bread at night and sells it in the morning",
}

export const young: readonly Character[] = [
  {
    name: "brand-new-honest",
    story: "A bakery that opened its site this week and did everything right.",
    because: "Nothing speaks against it but its age: a person should look, nobody should refuse.",
    expect: {
      action: "review",
      evidence: ["domain_age_under_30d", "uses_https", "http_reachable", "has_contact_page"],
      absent: ["domain_age_over_5y", "brand_plus_keyword", "thin_page"],
    },
    ...settled(bakery),
    web: { http: toHttps, https: business(bakery), certificate: { fromDays: -5, untilDays: 85 } },
    registration: NEW,
  },
  {
    name: "expiring-soon",
    story: "A decent club whose registration ends next week.",
    because: "Most such names are renewed in time: a small mark against an old good name.",
    expect: { action: "approve", evidence: ["expires_soon", "domain_age_over_5y"] },
    ...settled({
      name: "Valley Rowing Club",
      domain: "valley-rowing.test",
      does: "teaches rowing on the lower lake",
    }),
    registration: { ...OLD, expiresInDays: 7 },
  },
  {
    name: "recently-transferred",
    story: "An old name that changed hands last week and got a site with little on it.",
    because: "The age belongs to the former owner; what is there now is thin.",
    expect: { action: "review", evidence: ["recent_transfer"] },
    ...settled({
      name: "Newhands",
      domain: "newhands.test",
      does: "trades in this and that",
    }),
    zone: { records: ["@ A {ipv4}", "www CNAME @"] },
    web: {
      http: toHttps,
      https: business({
        name: "Newhands",
        domain: "newhands.test",
        does: "trades in this and that",
        polished: false,
        pages: [],
      }),
      certificate: { fromDays: -3, untilDays: 87 },
    },
    registration: { ...GROWN, transferredDaysAgo: 8 },
  },
  {
    name: "on-hold",
    story: "A name that its registry took out of the zone.",
    because: "Withdrawn by the registry itself, for abuse, dispute or debt, and out of reach.",
    expect: {
      action: "reject",
      risk: ["critical"],
      evidence: ["rdap_hold_status", "dns_nxdomain"],
      absent: ["dns_resolves"],
    },
    ...settled({ name: "Suspended", domain: "suspended.test", does: "is no more" }),
    zone: { records: [], trouble: "no_such_name" },
    web: { http: refused, https: refused },
    registration: { ...OLD, statuses: ["server hold", "client hold"] },
  },
  ...(
    [
      ["rdap-error", "server_error", "500 for every question", "weaver-mill.test"],
      ["rdap-silent", "silent", "no answer at all", "clockmaker-lab.test"],
      ["rdap-not-json", "not_json", "a page of HTML", "violin-maker.test"],
      ["rdap-into-private", "redirect_private", "a redirect to 127.0.0.1", "glass-blower.test"],
      ["rdap-not-offered", "no_server", "no RDAP server for the suffix", "quiet-registry.example"],
    ] as const
  ).map(
    ([name, registration, what, domain]): Character => ({
      name,
      story: `An ordinary shop whose registry gives ${what}.`,
      because: "The age, which weighs most, is unknown: not old, not young either.",
      expect: {
        action: "review",
        evidence: ["dns_resolves", "http_reachable"],
        unknown: ["domain_age_under_30d", "domain_age_over_5y", "rdap_hold_status"],
      },
      ...ordinary({ name: "Guild House", domain, does: "sells what a guild's members make" }),
      registration,
    }),
  ),
  {
    name: "rdap-not-found",
    story: "A working shop of which the registry says that it is not registered.",
    because: "Contradictory evidence, no age: a person should look.",
    expect: {
      action: "review",
      evidence: ["dns_resolves", "http_reachable"],
      unknown: ["domain_age_over_5y"],
    },
    ...ordinary({ name: "Ghost Ware", domain: "ghost-ware.test", does: "sells curtains" }),
    registration: "not_found",
  },
]
