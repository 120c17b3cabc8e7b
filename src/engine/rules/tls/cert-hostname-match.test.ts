import { judges, tls } from "../../../../test/observation.ts"
import { certHostnameMatch } from "./cert-hostname-match.ts"

judges(certHostnameMatch, [
  ["its own name", () => {}, true, "shop.example, www.shop.example"],
  ["another name", tls((t) => Object.assign(t, { hostnameMatch: false })), false],
  [
    "no handshake",
    (o) => {
      o.tls = { unknown: "timeout" }
    },
    "timeout",
  ],
])
