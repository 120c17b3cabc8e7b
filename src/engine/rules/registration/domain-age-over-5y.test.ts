import { daysFrom, judges, NOW, registration } from "../../../../test/observation.ts"
import { domainAgeOver5y } from "./domain-age-over-5y.ts"

const age = (days: number) =>
  registration((r) => {
    r.registeredAt = daysFrom(NOW, -days)
  })

judges(domainAgeOver5y, [
  ["five years", age(5 * 365), true],
  ["a day less", age(5 * 365 - 1), false],
  [
    "no such registration",
    (o) => {
      o.registration = { value: null }
    },
    "not_offered",
  ],
])
