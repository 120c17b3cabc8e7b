import { judges, none } from "../../../../test/observation.ts"
import { dnsResolves } from "./dns-resolves.ts"

judges(dnsResolves, [
  ["an IPv4 address", () => {}, true, "192.0.2.10"],
  [
    "IPv6 alone is enough",
    (o) => {
      o.dns.a = none()
    },
    true,
    "2001:db8::10",
  ],
  [
    "neither",
    (o) => {
      ;[o.dns.a, o.dns.aaaa] = [none(), none()]
    },
    false,
  ],
  [
    "IPv6 could be there",
    (o) => {
      ;[o.dns.a, o.dns.aaaa] = [none(), { unknown: "timeout" }]
    },
    "timeout",
  ],
  [
    "the resolver failed",
    (o) => {
      ;[o.dns.a, o.dns.aaaa] = [{ unknown: "servfail" }, { unknown: "servfail" }]
    },
    "servfail",
  ],
])
