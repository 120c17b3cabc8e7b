import { all, daysFrom, judges, NOW, onPlatform, tls } from "../../../../test/observation.ts"
import { certLifetimeLong } from "./cert-lifetime-long.ts"

const life = (from: number, until: number) =>
  tls(({ certificate }) =>
    Object.assign(certificate, { notBefore: daysFrom(NOW, from), notAfter: daysFrom(NOW, until) }),
  )

judges(certLifetimeLong, [
  ["a paid one", life(-1, 198), true, "199 days"],
  ["a hundred days", life(-50, 50), false, "100 days"],
  ["a free one", () => {}, false, "90 days"],
  [
    "ten years that nobody vouches for",
    all(
      life(0, 3_650),
      tls((t) => {
        t.chainValid = false
      }),
    ),
    false,
  ],
  [
    "the platform's",
    all(
      onPlatform,
      tls((t) => {
        t.certificate.dnsNames = ["*.example"]
      }),
    ),
    "platform",
  ],
  [
    "no handshake",
    (o) => {
      o.tls = { unknown: "timeout" }
    },
    "timeout",
  ],
])
