import type { Case } from "../../../../test/observation.ts"
import { judges, none, records } from "../../../../test/observation.ts"
import { spfPermissive } from "./spf-permissive.ts"

judges(spfPermissive, [
  [
    "+all",
    (o) => {
      o.dns.txt = records("v=spf1 +all")
    },
    true,
    "v=spf1 +all",
  ],
  [
    "?all",
    (o) => {
      o.dns.txt = records("v=spf1 mx ?all")
    },
    true,
  ],
  [
    "nothing at the end is neutral",
    (o) => {
      o.dns.txt = records("v=spf1 mx")
    },
    true,
  ],
  [
    "the whole internet by address",
    (o) => {
      o.dns.txt = records("v=spf1 ip4:0.0.0.0/0 -all")
    },
    true,
  ],
  ...[
    ["ip4:0.0.0.0/1 ip4:128.0.0.0/1", true, "in two halves"],
    ["+ip6:2000::/3", true, "all of IPv6 that is given out"],
    ["a/0", true, "round its own address"],
    ["mx:mail.example/24//7", true, "round its mail servers, over IPv6"],
    ["ip4:10.0.0.0/8", false, "the largest block that anyone holds"],
    ["ip4:192.0.2.0/27 ip6:2001:db8::/32 a/24//64", false, "ordinary networks"],
    ["-ip4:0.0.0.0/0", false, "refused by address"],
  ].map(
    ([terms, state, because]): Case => [
      `${because}: ${terms}`,
      (o) => {
        o.dns.txt = records(`v=spf1 ${terms} -all`)
      },
      state === true,
    ],
  ),
  [
    "what stands after all is never reached",
    (o) => {
      o.dns.txt = records("v=spf1 -all ip4:0.0.0.0/0")
    },
    false,
  ],
  ["-all", () => {}, false],
  [
    "~all",
    (o) => {
      o.dns.txt = records("v=spf1 mx ~all")
    },
    false,
  ],
  [
    "no record lets nobody in by itself",
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
