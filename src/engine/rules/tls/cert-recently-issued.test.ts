import { daysFrom, judges, NOW, tls } from "../../../../test/observation.ts"
import { certRecentlyIssued } from "./cert-recently-issued.ts"

const from = (days: number) =>
  tls(({ certificate }) => Object.assign(certificate, { notBefore: daysFrom(NOW, days) }))

judges(certRecentlyIssued, [
  ["yesterday", from(-1), true, "issued 2026-11-23"],
  ["a week ago", from(-7), false],
  ["forty days ago", () => {}, false],
  [
    "no handshake",
    (o) => {
      o.tls = { unknown: "timeout" }
    },
    "timeout",
  ],
])
