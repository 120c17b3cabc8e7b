import { daysFrom, judges, NOW, registration } from "../../../../test/observation.ts"
import { recentTransfer } from "./recent-transfer.ts"

const ago = (days: number) =>
  registration((r) => {
    r.transferredAt = daysFrom(NOW, -days)
  })

judges(recentTransfer, [
  ["59 days ago", ago(59), true, "2026-09-26"],
  ["60 days ago", ago(60), false],
  ["never, by a server that tells times", () => {}, false],
  [
    "no word of it, by a server that tells none",
    registration((r) => {
      delete r.registeredAt
    }),
    "not_offered",
  ],
  [
    "a time that is none",
    registration((r) => {
      r.transferredAt = "?"
    }),
    "malformed",
  ],
  [
    "silence",
    (o) => {
      o.registration = { unknown: "timeout" }
    },
    "timeout",
  ],
])
