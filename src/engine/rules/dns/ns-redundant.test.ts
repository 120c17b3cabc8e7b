import { judges, onPlatform, records } from "../../../../test/observation.ts"
import { nsRedundant } from "./ns-redundant.ts"

judges(nsRedundant, [
  ["two", () => {}, true, "ns1.shop.example, ns2.dns.example"],
  [
    "one",
    (o) => {
      o.dns.ns = records("ns1.shop.example")
    },
    false,
  ],
  [
    "one, told twice",
    (o) => {
      o.dns.ns = records("ns1.shop.example", "ns1.shop.example")
    },
    false,
  ],
  [
    "no answer",
    (o) => {
      o.dns.ns = { unknown: "servfail" }
    },
    "servfail",
  ],
  ["the platform's servers", onPlatform, "platform"],
])
