import { daysFrom, judges, NOW, registration } from "../../../../test/observation.ts"
import { domainAgeUnder1y } from "./domain-age-under-1y.ts"

const age = (days: number) =>
  registration((r) => {
    r.registeredAt = daysFrom(NOW, -days)
  })

judges(domainAgeUnder1y, [
  ["364 days", age(364), true, "2025-11-25"],
  ["a day", age(1), true],
  ["365 days", age(365), false],
  [
    "silence",
    (o) => {
      o.registration = { unknown: "timeout" }
    },
    "timeout",
  ],
])
