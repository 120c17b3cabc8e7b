import { judges, tls } from "../../../../test/observation.ts"
import { certSelfSigned } from "./cert-self-signed.ts"

judges(certSelfSigned, [
  [
    "its own signature",
    tls((t) => {
      t.certificate.selfSigned = true
      t.chainValid = false
    }),
    true,
    "CN=Sandbox Issuing CA",
  ],
  ["an authority's", () => {}, false],
  [
    "its own, and trusted by configuration",
    tls((t) => {
      t.certificate.selfSigned = true
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
