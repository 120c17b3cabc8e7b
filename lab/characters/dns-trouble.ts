/** Names that resolve wrongly, slowly, or not at all. */
import type { Character, Zone } from "../character.ts"
import { refused } from "../web/answer.ts"
import { IPV6, MAIL, modest, OLD, settled, WEB } from "./parts.ts"

const nowhere = { http: refused, https: refused } as const

const HUGE_TXT = Array.from(
  { length: 120 },
  (_, i) =>
    `${i < 117 ? "@" : "few"} TXT filler-${i}=${String.fromCharCode(97 + (i % 26)).repeat(220)}`,
)
const MANY_ADDRESSES = Array.from({ length: 400 }, (_, i) => `@ A 198.19.${i >> 8}.${i & 255}`)

const gone = (domain: string, zone: Zone) => ({
  ...settled({ name: "Gone", domain, does: "cannot be seen" }),
  zone,
  web: nowhere,
})

export const dnsTrouble: readonly Character[] = [
  {
    name: "no-such-name",
    story: "A name that nobody registered.",
    because: "There is nothing here: an answer, not an error, and nothing to approve.",
    expect: { action: "review", evidence: ["dns_nxdomain"], absent: ["dns_resolves"] },
    ...gone("no-such-name.test", { records: [], trouble: "no_such_name" }),
    registration: "not_found",
  },
  {
    name: "servfail",
    story: "An old name whose name servers are broken.",
    because: "The resolver failed: nothing is known, and little could be seen.",
    expect: {
      action: "review",
      evidence: ["dns_servfail"],
      unknown: ["has_mx_records", "has_caa", "thin_page"],
    },
    ...gone("servfail-lab.test", { records: [...WEB], trouble: "servfail" }),
  },
  {
    name: "dnssec-bogus",
    story: "A signed zone whose signatures do not verify.",
    because:
      "A forged answer looks just like this: nobody behind a validating resolver gets there.",
    expect: { action: "review", evidence: ["dnssec_bogus"] },
    ...settled({ name: "Broken Seal", domain: "dnssec-bogus.test", does: "sells sealing wax" }),
    zone: { records: [...WEB, ...MAIL], signed: "bogus" },
  },
  {
    name: "dns-timeout",
    story: "An old name whose name servers never answer.",
    because: "Time ran out: unknown, not absent.",
    expect: {
      action: "review",
      evidence: [],
      unknown: ["dns_resolves", "has_mx_records", "spf_present", "thin_page"],
    },
    ...gone("dns-timeout.test", { records: [...WEB], trouble: "silent" }),
  },
  {
    name: "dns-malformed",
    story: "Name servers whose answers do not parse.",
    because: "What does not parse is not evidence.",
    expect: {
      action: "review",
      evidence: [],
      unknown: ["dns_resolves", "has_mx_records", "thin_page"],
    },
    ...gone("dns-malformed.test", { records: [...WEB], trouble: "malformed" }),
  },
  {
    name: "dns-spoofed",
    story: "A good shop whose answers a forger tries to overtake.",
    because: "Answers with another id or to another question do not count, the true one does.",
    expect: { action: "approve", evidence: ["dns_resolves", "http_reachable"] },
    ...settled({ name: "True Weights", domain: "dns-spoofed.test", does: "makes scales" }),
    zone: { records: [...WEB, IPV6, ...MAIL], trouble: "spoofed" },
  },
  {
    name: "dns-huge",
    story: "A good shop with answers that do not fit into a datagram.",
    because: "Truncation leads to TCP, and TCP gives the same answer.",
    expect: { action: "approve", evidence: ["dns_resolves", "spf_present", "http_reachable"] },
    ...settled({ name: "Long Shelf", domain: "dns-huge.test", does: "builds libraries" }),
    zone: { records: [...WEB, ...MAIL, ...HUGE_TXT] },
  },
  {
    name: "dns-many-addresses",
    story: "A young name with four hundred addresses, none of which can be reached.",
    because: "The list is cut at a cap, and nothing of the site could be seen.",
    expect: { action: "review", evidence: ["dns_resolves"], unknown: ["thin_page"] },
    ...modest({ name: "Everywhere", domain: "dns-many.test", does: "is everywhere" }),
    zone: { records: MANY_ADDRESSES },
    web: nowhere,
  },
  {
    name: "rebinding",
    story: "Gives a public address once, and addresses inside ever after.",
    because: "Whoever resolves again gets 127.0.0.1; the vetted address alone may be dialled.",
    expect: { action: "review", evidence: ["dns_resolves"], absent: ["domain_age_over_5y"] },
    ...modest({ name: "Rebound", domain: "rebinding.test", does: "comes back" }),
    zone: { records: [...WEB], trouble: "rebinding" },
  },
  {
    name: "two-faced-addresses",
    story: "Its addresses are one that is public and two that are not, in one answer.",
    because: "The addresses inside are never dialled, whatever else is seen.",
    expect: { action: "review", evidence: ["dns_resolves"], absent: ["domain_age_over_5y"] },
    ...modest({ name: "Janus", domain: "two-faced.test", does: "looks both ways" }),
    zone: { records: [...WEB, "@ A 127.0.0.1", "@ A 10.0.0.1", "@ AAAA ::1"] },
  },
  {
    name: "private-address",
    story: "A young name whose only address is private.",
    because: "Nothing may be dialled, so nothing of the site is known.",
    expect: { action: "review", evidence: ["dns_resolves"], unknown: ["thin_page"] },
    ...modest({ name: "Intranet", domain: "private-address.test", does: "is inside" }),
    zone: { records: ["@ A 10.0.0.7", "@ AAAA fd00::7", "intranet A 192.168.0.1"] },
    web: nowhere,
  },
  {
    name: "alias-loop",
    story: "An alias that leads back to itself.",
    because: "No address at the end of it: resolvers give up.",
    expect: { action: "review", evidence: ["dns_servfail"], unknown: ["thin_page"] },
    ...gone("alias-loop.test", { records: ["@ CNAME loop.alias-loop.test", "loop CNAME @"] }),
    registration: OLD,
  },
]
