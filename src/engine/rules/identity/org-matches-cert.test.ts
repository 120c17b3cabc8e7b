import { all, home, judges, onPlatform, tls } from "../../../../test/observation.ts"
import { orgMatchesCert } from "./org-matches-cert.ts"

const certified = tls((t) => {
  t.certificate.organisation = "Shop Limited"
})

judges(orgMatchesCert, [
  [
    "the same but for its legal form",
    all(
      certified,
      home((page) => {
        page.organisations = [{ name: "Shop Ltd." }]
      }),
    ),
    true,
    "Shop Limited",
  ],
  [
    "named in the title",
    all(
      certified,
      home((page) => {
        page.title = "Welcome to Shop"
      }),
    ),
    true,
  ],
  [
    "another",
    all(
      certified,
      home((page) => {
        page.organisations = [{ name: "Other" }]
      }),
    ),
    false,
  ],
  ["a certificate without one", () => {}, false],
  [
    "one that nobody vouches for",
    all(
      certified,
      tls((t) => {
        t.chainValid = false
      }),
      home((page) => {
        page.title = "Shop"
      }),
    ),
    false,
  ],
  [
    "the platform's certificate",
    all(
      onPlatform,
      tls((t) => {
        t.certificate.dnsNames = ["*.example"]
      }),
    ),
    "platform",
  ],
  [
    "no page",
    all(certified, (o) => {
      o.http.home = { unknown: "timeout" }
    }),
    "timeout",
  ],
  [
    "no handshake",
    (o) => {
      o.tls = { unknown: "refused" }
    },
    "refused",
  ],
])
