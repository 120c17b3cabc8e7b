import { daysFrom, judges, NOW, onPlatform, registration } from "../../../../test/observation.ts"
import { domainAgeUnder30d } from "./domain-age-under-30d.ts"

const age = (days: number) =>
  registration((r) => {
    r.registeredAt = daysFrom(NOW, -days)
  })

judges(domainAgeUnder30d, [
  ["29 days", age(29), true, "2026-10-26"],
  ["30 days", age(30), false],
  ["registered in a moment, by a clock ahead of ours", age(-0.01), true],
  [
    "no server for the suffix",
    (o) => {
      o.registration = { unknown: "not_offered" }
    },
    "not_offered",
  ],
  ["the platform's", onPlatform, "platform"],
])
