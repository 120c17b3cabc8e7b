import { judges } from "../../../../test/observation.ts"
import { dnsServfail } from "./dns-servfail.ts"

judges(dnsServfail, [
  [
    "the resolver says so",
    (o) => {
      o.dns.a = { unknown: "servfail" }
    },
    true,
  ],
  ["an answer", () => {}, false],
  [
    "silence is no failure",
    (o) => {
      o.dns.a = { unknown: "timeout" }
    },
    "timeout",
  ],
])
