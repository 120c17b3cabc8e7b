import { judges, none, records } from "../../../../test/observation.ts"
import { spfHardFail } from "./spf-hard-fail.ts"

judges(spfHardFail, [
  ["-all", () => {}, true],
  [
    "~all",
    (o) => {
      o.dns.txt = records("v=spf1 mx ~all")
    },
    false,
  ],
  [
    "no record",
    (o) => {
      o.dns.txt = none()
    },
    false,
  ],
  [
    "the target of a redirect decides",
    (o) => {
      o.dns.txt = records("v=spf1 redirect=_spf.example")
    },
    "not_observed",
  ],
  [
    "no answer",
    (o) => {
      o.dns.txt = { unknown: "timeout" }
    },
    "timeout",
  ],
])
