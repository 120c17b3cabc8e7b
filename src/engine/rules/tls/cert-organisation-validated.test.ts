import { judges, onPlatform, tls } from "../../../../test/observation.ts"
import { certOrganisationValidated } from "./cert-organisation-validated.ts"

const organisation = tls((t) => {
  t.certificate.organisation = "Shop Ltd"
})

judges(certOrganisationValidated, [
  ["an organisation", organisation, true, "Shop Ltd"],
  ["none", () => {}, false],
  [
    "one that no trusted authority vouches for",
    (o) =>
      [
        organisation,
        tls((t) => {
          t.chainValid = false
        }),
      ].forEach((change) => change(o)),
    false,
  ],
  [
    "the platform's",
    (o) =>
      [
        onPlatform,
        tls((t) => {
          t.certificate.dnsNames = ["*.example"]
        }),
      ].forEach((change) => change(o)),
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
