import { judges, none } from "../../../../test/observation.ts"
import { dnsNxdomain } from "./dns-nxdomain.ts"

judges(dnsNxdomain, [
  [
    "no such name, though it is registered",
    (o) => {
      o.dns.a = none("NXDOMAIN")
    },
    true,
    "",
  ],
  [
    "no such name, and the registry silent",
    (o) => {
      o.dns.a = none("NXDOMAIN")
      o.registration = { unknown: "timeout" }
    },
    true,
    "",
  ],
  [
    "no such name",
    (o) => {
      o.dns.a = none("NXDOMAIN")
    },
    true,
  ],
  [
    "nor in the registry",
    (o) => {
      o.dns.a = none("NXDOMAIN")
      o.registration = { value: null }
    },
    true,
    "the registry knows no such name either",
  ],
  [
    "a name without an address exists",
    (o) => {
      o.dns.a = none()
    },
    false,
  ],
  ["an address", () => {}, false],
  [
    "no answer",
    (o) => {
      o.dns.a = { unknown: "timeout" }
    },
    "timeout",
  ],
])
