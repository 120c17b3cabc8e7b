import { judges, none, records } from "../../../../test/observation.ts"
import { bimiPresent } from "./bimi-present.ts"

judges(bimiPresent, [
  ["a logo", () => {}, true, "https://shop.example/logo.svg"],
  [
    "declined",
    (o) => {
      o.dns.bimi = records("v=BIMI1; l=; a=")
    },
    false,
  ],
  [
    "none",
    (o) => {
      o.dns.bimi = none("NXDOMAIN")
    },
    false,
  ],
  [
    "no answer",
    (o) => {
      o.dns.bimi = { unknown: "timeout" }
    },
    "timeout",
  ],
])
