/** Certificates of every kind of wrong, on a site that is otherwise decent. */
import type { Certificate, Character, Expectation } from "../character.ts"
import { business, CAREFUL_HEADERS } from "../web/business.ts"
import { settled } from "./parts.ts"

interface Case {
  readonly name: string
  readonly domain: string
  readonly story: string
  readonly because: string
  readonly expect: Expectation
  readonly certificate: Certificate
}

const cases: readonly Case[] = [
  {
    name: "expired-certificate",
    domain: "expired-cert-lab.test",
    story: "An old florist who let the certificate run out ten days ago.",
    because: "Neglect rather than fraud, but nobody should pay over it.",
    expect: { action: "review", evidence: ["cert_expired"], absent: ["cert_self_signed"] },
    certificate: { fromDays: -100, untilDays: -10 },
  },
  {
    name: "not-yet-valid-certificate",
    domain: "tomorrow-cert.test",
    story: "A certificate that begins in five days.",
    because: "Out of date at the other end: no browser accepts it today.",
    expect: { action: "review", evidence: ["cert_expired"], absent: ["cert_self_signed"] },
    certificate: { fromDays: 5, untilDays: 95 },
  },
  {
    name: "self-signed",
    domain: "self-signed-lab.test",
    story: "A certificate that its owner signed.",
    because: "Nobody vouches for the key.",
    expect: { action: "review", evidence: ["cert_self_signed"], absent: ["cert_valid_chain"] },
    certificate: { issuer: "self" },
  },
  {
    name: "wrong-host",
    domain: "wrong-host-lab.test",
    story: "A good certificate, for somebody else's name.",
    because: "It proves that another server answers.",
    expect: {
      action: "review",
      evidence: ["cert_valid_chain"],
      absent: ["cert_hostname_match", "cert_self_signed"],
    },
    certificate: { names: ["another-name.test", "www.another-name.test"] },
  },
  {
    name: "unknown-authority",
    domain: "unknown-authority.test",
    story: "A certificate from an authority that nobody knows.",
    because: "The chain leads to no trusted root.",
    expect: {
      action: "review",
      evidence: ["cert_hostname_match"],
      absent: ["cert_valid_chain", "cert_self_signed"],
    },
    certificate: { issuer: "unknown authority" },
  },
  {
    name: "incomplete-chain",
    domain: "incomplete-chain.test",
    story: "A server that forgets to send its intermediate certificate.",
    because: "Some clients cannot follow it to the root, and this one does not guess.",
    expect: {
      action: "review",
      evidence: ["cert_hostname_match"],
      absent: ["cert_valid_chain", "cert_self_signed"],
    },
    certificate: { incompleteChain: true },
  },
  {
    name: "long-lived-certificate",
    domain: "long-lived-cert.test",
    story: "A certificate for eight hundred days.",
    because: "Longer than any public authority may issue; a small mark on an old good site.",
    expect: { action: "approve", evidence: ["cert_lifetime_long", "cert_valid_chain"] },
    certificate: { fromDays: -200, untilDays: 600 },
  },
  {
    name: "recent-certificate",
    domain: "recent-cert.test",
    story: "An old site that renewed its certificate yesterday.",
    because: "Everybody renews; on an old name it says little.",
    expect: { action: "approve", evidence: ["cert_recently_issued", "domain_age_over_5y"] },
    certificate: { fromDays: -1, untilDays: 89 },
  },
]

export const certificates: readonly Character[] = cases.map(({ certificate, ...one }) => {
  const about = { name: "Corner House", domain: one.domain, does: "sells flowers and plants" }
  const base = settled(about)
  // The site is on port 80 too, so that broken HTTPS does not hide it.
  const http = business({ ...about, headers: CAREFUL_HEADERS })
  return { ...one, ...base, web: { ...base.web, http, certificate } }
})
