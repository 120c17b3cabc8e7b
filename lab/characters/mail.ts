/** Mail policies, good and broken, on sites that are otherwise decent. */
import type { Character, Expectation } from "../character.ts"
import { refused } from "../web/answer.ts"
import { IPV6, MAIL, NO_MAIL, OLD, settled, WEB } from "./parts.ts"

interface Case {
  readonly name: string
  readonly domain: string
  readonly story: string
  readonly because: string
  readonly expect: Expectation
  readonly records: readonly string[]
  readonly mtaSts?: string
}

const MX = "@ MX 10 mx1.mail-lab.test"
const REJECT = "_dmarc TXT v=DMARC1; p=reject"

const cases: readonly Case[] = [
  {
    name: "null-mx",
    domain: "null-mx.test",
    story: "A good site that says that it takes no mail.",
    because: "Saying so is better than saying nothing.",
    expect: { action: "approve", evidence: ["null_mx", "spf_hard_fail", "dmarc_enforced"] },
    records: NO_MAIL,
  },
  {
    name: "spf-too-many-lookups",
    domain: "spf-many.test",
    story: "A sender policy that takes more look-ups than receivers make.",
    because: "The policy fails at every receiver; a fault of hygiene on an old good site.",
    expect: {
      action: "approve",
      evidence: ["spf_present", "spf_lookup_limit_exceeded"],
      absent: ["spf_permissive"],
    },
    records: [
      MX,
      REJECT,
      "@ TXT v=spf1 include:s1.spf-many.test -all",
      ...Array.from({ length: 12 }, (_, i) =>
        i < 11
          ? `s${i + 1} TXT v=spf1 include:s${i + 2}.spf-many.test ~all`
          : `s${i + 1} TXT v=spf1 ip4:198.18.0.1 ~all`,
      ),
    ],
  },
  {
    name: "spf-loop",
    domain: "spf-loop.test",
    story: "A sender policy that includes itself.",
    because: "It never ends, so it exceeds every limit; a fault of hygiene.",
    expect: { action: "approve", evidence: ["spf_present", "spf_lookup_limit_exceeded"] },
    records: [
      MX,
      REJECT,
      "@ TXT v=spf1 include:a.spf-loop.test -all",
      "a TXT v=spf1 include:spf-loop.test -all",
    ],
  },
  {
    name: "spf-allows-all",
    domain: "spf-all.test",
    story: "A sender policy that lets the whole world send in its name.",
    because: "An open door for others, but no sign of fraud by its owner.",
    expect: {
      action: "approve",
      evidence: ["spf_present", "spf_permissive"],
      absent: ["spf_hard_fail"],
    },
    records: [MX, REJECT, "@ TXT v=spf1 +all"],
  },
  {
    name: "mta-sts-broken",
    domain: "mta-sts-broken.test",
    story: "Announces a policy for mail transport that nobody can parse.",
    because: "Announced is not enforced.",
    expect: { action: "approve", evidence: ["has_mx_records"], absent: ["mta_sts_enforced"] },
    records: [...MAIL, "mta-sts CNAME @", "_mta-sts TXT v=STSv1; id=1"],
    mtaSts: "version: STSv9\nmode: perhaps\n",
  },
]

export const mail: readonly Character[] = [
  ...cases.map(
    ({ records, mtaSts, ...one }): Character => ({
      ...one,
      ...settled({
        name: "Post House",
        domain: one.domain,
        does: "makes envelopes and writing paper",
        ...(mtaSts !== undefined && { mtaSts }),
      }),
      zone: { records: [...WEB, IPV6, ...records] },
    }),
  ),
  {
    name: "mail-only",
    story: "An old name that is used for mail and has no site.",
    because: "No web to see: what is seen is good, but it is little.",
    expect: {
      action: "review",
      evidence: ["has_mx_records", "dmarc_enforced", "domain_age_over_5y"],
      absent: ["dns_nxdomain"],
      unknown: ["thin_page"],
    },
    ...settled({ name: "Letters Only", domain: "mail-only.test", does: "writes" }),
    zone: { records: MAIL },
    web: { http: refused, https: refused },
    registration: OLD,
  },
]
