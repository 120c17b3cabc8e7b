import type { Change } from "../../../../test/observation.ts"
import { judges, onPlatform } from "../../../../test/observation.ts"
import { nsNetworkDiverse } from "./ns-network-diverse.ts"

const at =
  (...addresses: string[]): Change =>
  (o) => {
    o.dns.nsAddresses = { value: { "ns1.shop.example": addresses } }
  }

judges(nsNetworkDiverse, [
  ["two networks", () => {}, true, "192.0.2.0/24, 198.51.100.0/24"],
  ["one network", at("192.0.2.1", "192.0.2.200"), false, "192.0.2.0/24"],
  [
    "two IPv6 networks",
    at("2001:db8:1::1", "2001:db8:2::1"),
    true,
    "2001:db8:1::/48, 2001:db8:2::/48",
  ],
  [
    "one IPv6 network, written in two ways",
    at("2001:db8::1", "2001:db8:0:1::1"),
    false,
    "2001:db8:0::/48",
  ],
  ["no address of any was seen", at(), "not_observed"],
  [
    "no answer",
    (o) => {
      o.dns.nsAddresses = { unknown: "timeout" }
    },
    "timeout",
  ],
  ["the platform's servers", onPlatform, "platform"],
])
