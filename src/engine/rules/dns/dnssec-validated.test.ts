import type { Change } from "../../../../test/observation.ts"
import { all, judges, none, onPlatform } from "../../../../test/observation.ts"
import { dnssecValidated } from "./dnssec-validated.ts"

const authenticated =
  (ad?: boolean): Change =>
  (o) => {
    const { records } = "value" in o.dns.a ? o.dns.a.value : { records: [] }
    o.dns.a = {
      value: { rcode: "NOERROR", records, ...(ad === undefined ? {} : { authenticated: ad }) },
    }
  }

judges(dnssecValidated, [
  ["the AD bit is set", authenticated(true), true],
  ["the AD bit is not set", authenticated(false), false],
  ["a resolver whose word does not count", authenticated(), "not_observed"],
  [
    "an unsigned zone needs no trusted word",
    all(authenticated(), (o) => {
      o.dns.ds = none()
    }),
    false,
  ],
  [
    "no answer",
    (o) => {
      o.dns.a = { unknown: "timeout" }
    },
    "timeout",
  ],
  ["the platform's zone", onPlatform, "platform"],
])
