import { judges, none, onPlatform } from "../../../../test/observation.ts"
import { dnssecSigned } from "./dnssec-signed.ts"

judges(dnssecSigned, [
  ["DS and DNSKEY", () => {}, true],
  [
    "no DS",
    (o) => {
      o.dns.ds = none()
    },
    false,
  ],
  [
    "no DS settles it, whatever the keys",
    (o) => {
      ;[o.dns.ds, o.dns.dnskey] = [none(), { unknown: "timeout" }]
    },
    false,
  ],
  [
    "DS without DNSKEY",
    (o) => {
      o.dns.dnskey = none()
    },
    false,
    "a DS record, but no DNSKEY",
  ],
  [
    "DS, and keys unseen",
    (o) => {
      o.dns.dnskey = { unknown: "timeout" }
    },
    "timeout",
  ],
  [
    "no answer",
    (o) => {
      o.dns.ds = { unknown: "servfail" }
    },
    "servfail",
  ],
  ["the platform's zone", onPlatform, "platform"],
])
