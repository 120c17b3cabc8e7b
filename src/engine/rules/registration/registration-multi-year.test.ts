import { daysFrom, judges, NOW, registration } from "../../../../test/observation.ts"
import { registrationMultiYear } from "./registration-multi-year.ts"

const until = (days: number) =>
  registration((r) => {
    r.expiresAt = daysFrom(NOW, days)
  })

judges(registrationMultiYear, [
  ["two years", until(730), true, "until 2028-11-23"],
  ["a year, registered today", until(366), false],
  ["over already", until(-5), false],
  [
    "the server does not say",
    registration((r) => {
      delete r.expiresAt
    }),
    "not_offered",
  ],
])
