import { daysFrom, judges, NOW, registration } from "../../../../test/observation.ts"
import { expiresSoon } from "./expires-soon.ts"

const until = (days: number) =>
  registration((r) => {
    r.expiresAt = daysFrom(NOW, days)
  })

judges(expiresSoon, [
  ["29 days", until(29), true, "until 2026-12-23"],
  ["over already", until(-5), true],
  ["30 days", until(30), false],
  [
    "silence",
    (o) => {
      o.registration = { unknown: "deadline" }
    },
    "deadline",
  ],
])
