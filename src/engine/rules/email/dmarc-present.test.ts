import { judges, none, onPlatform, records } from "../../../../test/observation.ts"
import { dmarcPresent } from "./dmarc-present.ts"

judges(dmarcPresent, [
  ["a record", () => {}, true, "v=DMARC1; p=reject; rua=mailto:dmarc@shop.example"],
  [
    "no such name",
    (o) => {
      o.dns.dmarc = none("NXDOMAIN")
    },
    false,
  ],
  [
    "two records are none",
    (o) => {
      o.dns.dmarc = records("v=DMARC1; p=none", "v=DMARC1; p=reject")
    },
    false,
  ],
  [
    "no answer",
    (o) => {
      o.dns.dmarc = { unknown: "timeout" }
    },
    "timeout",
  ],
  ["the platform's mail", onPlatform, "platform"],
])
