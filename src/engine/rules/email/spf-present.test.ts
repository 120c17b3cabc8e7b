import { judges, none, records } from "../../../../test/observation.ts"
import { spfPresent } from "./spf-present.ts"

judges(spfPresent, [
  ["one record", () => {}, true, "v=spf1 include:_spf.google.com -all"],
  [
    "none",
    (o) => {
      o.dns.txt = none()
    },
    false,
  ],
  [
    "two",
    (o) => {
      o.dns.txt = records("v=spf1 -all", "v=spf1 mx -all")
    },
    false,
  ],
  [
    "no answer",
    (o) => {
      o.dns.txt = { unknown: "timeout" }
    },
    "timeout",
  ],
])
