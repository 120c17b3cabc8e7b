import { judges, tls } from "../../../../test/observation.ts"
import { certSctPresent } from "./cert-sct-present.ts"

judges(certSctPresent, [
  ["timestamps within", () => {}, true],
  [
    "none",
    tls((t) => {
      t.certificate.sct = false
    }),
    false,
  ],
  [
    "no handshake",
    (o) => {
      o.tls = { unknown: "timeout" }
    },
    "timeout",
  ],
])
