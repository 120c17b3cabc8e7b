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
