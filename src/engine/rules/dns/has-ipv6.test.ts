import { judges, none, onPlatform } from "../../../../test/observation.ts"
import { hasIpv6 } from "./has-ipv6.ts"

judges(hasIpv6, [
  ["an AAAA record", () => {}, true, "2001:db8::10"],
  [
    "no data",
    (o) => {
      o.dns.aaaa = none()
    },
    false,
  ],
  [
    "no answer",
    (o) => {
      o.dns.aaaa = { unknown: "timeout" }
    },
    "timeout",
  ],
  ["the platform's addresses", onPlatform, "platform"],
])
