/** Servers with which nobody shakes hands, or not as one does today. */
import type { Character } from "../character.ts"
import { closes, refused, silent } from "../web/answer.ts"
import { GROWN, ordinary, settled } from "./parts.ts"

const about = (domain: string) => ({ name: "Ferry House", domain, does: "runs two ferries" })

export const handshakes: readonly Character[] = [
  {
    name: "tls-1.2-only",
    story: "A server that speaks TLS 1.2 and nothing newer.",
    because: "Old but sound.",
    expect: { action: "approve", evidence: ["uses_https", "cert_valid_chain"] },
    ...settled(about("tls12-only.test")),
    web: { ...settled(about("tls12-only.test")).web, tls: "1.2 only" },
  },
  {
    name: "legacy-tls",
    story: "A server that speaks TLS 1.0 and 1.1 alone.",
    because: "No browser of today connects: nobody has looked after it for years.",
    expect: { action: "review", evidence: ["dns_resolves"], absent: ["tls_modern"] },
    ...ordinary(about("legacy-tls.test")),
    web: { ...ordinary(about("legacy-tls.test")).web, tls: "1.0 and 1.1" },
    registration: GROWN,
  },
  {
    name: "handshake-stalls",
    story: "Port 443 accepts and then never says a word.",
    because: "A time-out is unknown, not absent: little could be seen.",
    expect: {
      action: "review",
      evidence: ["dns_resolves"],
      unknown: ["cert_valid_chain", "cert_expired", "cert_self_signed", "thin_page"],
    },
    ...ordinary(about("stalled-tls.test")),
    web: { ...ordinary(about("stalled-tls.test")).web, https: silent },
  },
  {
    name: "port-443-closes",
    story: "Port 443 accepts and hangs up at once.",
    because: "No handshake, so nothing is known of a certificate or of a page.",
    expect: {
      action: "review",
      evidence: ["dns_resolves"],
      unknown: ["cert_valid_chain", "cert_expired", "thin_page"],
    },
    ...ordinary(about("closing-tls.test")),
    web: { ...ordinary(about("closing-tls.test")).web, https: closes },
  },
  {
    name: "nothing-listens",
    story: "An old name with good mail whose server refuses both ports.",
    because: "Nothing of the site could be seen, and what is not seen cannot be approved.",
    expect: {
      action: "review",
      evidence: ["dns_resolves", "has_mx_records", "domain_age_over_5y"],
      unknown: ["cert_valid_chain", "thin_page"],
    },
    ...settled(about("nothing-listens.test")),
    web: { http: refused, https: refused },
  },
]
