import type { Change } from "../../../../test/observation.ts"
import { all, judges, none, onPlatform } from "../../../../test/observation.ts"
import { lowTtlOnly } from "./low-ttl-only.ts"

const living =
  (seconds: number, ...types: ("a" | "ns" | "mx" | "txt")[]): Change =>
  (o) => {
    for (const type of types) {
      const answer = o.dns[type]
      if ("value" in answer) for (const record of answer.value.records) record.ttl = seconds
    }
  }

judges(lowTtlOnly, [
  [
    "nothing besides name servers",
    all(living(300, "ns"), (o) => {
      o.dns.a = none()
      o.dns.mx = none()
      o.dns.txt = none()
    }),
    false,
  ],
  ["all within five minutes", living(300, "a", "ns", "mx", "txt"), true, "the longest lives 300 s"],
  ["name servers live on", living(300, "a", "mx", "txt"), false],
  ["one second more", living(301, "a", "ns", "mx", "txt"), false],
  [
    "no name server to judge by",
    (o) => {
      o.dns.ns = none()
    },
    false,
  ],
  [
    "part of it unseen",
    (o) => {
      o.dns.mx = { unknown: "timeout" }
    },
    "timeout",
  ],
  ["the platform's zone", onPlatform, "platform"],
])
