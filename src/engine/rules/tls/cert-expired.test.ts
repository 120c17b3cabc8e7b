import { daysFrom, judges, NOW, tls } from "../../../../test/observation.ts"
import { certExpired } from "./cert-expired.ts"

const until = (notAfter: string) =>
  tls(({ certificate }) => Object.assign(certificate, { notAfter }))

judges(certExpired, [
  [
    "its first second counts",
    tls(({ certificate }) => {
      certificate.notBefore = NOW
    }),
    false,
  ],
  ["over for a day", until(daysFrom(NOW, -1)), true, "valid until 2026-11-23T12:00:00.000Z"],
  ["its last second still counts", until(NOW), false],
  [
    "not begun",
    tls(({ certificate }) => Object.assign(certificate, { notBefore: daysFrom(NOW, 1) })),
    true,
    "valid from 2026-11-25T12:00:00.000Z",
  ],
  ["within its time", () => {}, false],
  [
    "no handshake",
    (o) => {
      o.tls = { unknown: "refused" }
    },
    "refused",
  ],
])
