import { judges, none, records } from "../../../../test/observation.ts"
import { dmarcEnforced } from "./dmarc-enforced.ts"

judges(dmarcEnforced, [
  ["reject", () => {}, true, "reject, 100 %"],
  [
    "quarantine",
    (o) => {
      o.dns.dmarc = records("v=DMARC1; p=quarantine")
    },
    true,
  ],
  [
    "a part of it",
    (o) => {
      o.dns.dmarc = records("v=DMARC1; p=reject; pct=99")
    },
    false,
    "reject, 99 %",
  ],
  [
    "none",
    (o) => {
      o.dns.dmarc = records("v=DMARC1; p=none")
    },
    false,
  ],
  [
    "no record",
    (o) => {
      o.dns.dmarc = none()
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
])
