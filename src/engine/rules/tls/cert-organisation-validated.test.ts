import { all, judges, onPlatform, tls } from "../../../../test/observation.ts"
import { certOrganisationValidated } from "./cert-organisation-validated.ts"

const organisation = tls((t) => {
  t.certificate.organisation = "Shop Ltd"
})

judges(certOrganisationValidated, [
  ["an organisation", organisation, true, "Shop Ltd"],
  ["none", () => {}, false],
  [
    "one that no trusted authority vouches for",
    all(
      organisation,
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
