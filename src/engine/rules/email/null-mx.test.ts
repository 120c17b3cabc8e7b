import { judges, none, records } from "../../../../test/observation.ts"
import { nullMx } from "./null-mx.ts"

judges(nullMx, [
  [
    "a lone dot",
    (o) => {
      o.dns.mx = records("0 .")
    },
    true,
  ],
  ["a host", () => {}, false],
  [
    "none at all is no refusal",
    (o) => {
      o.dns.mx = none()
    },
    false,
  ],
  [
    "no answer",
    (o) => {
      o.dns.mx = { unknown: "servfail" }
    },
    "servfail",
  ],
])
