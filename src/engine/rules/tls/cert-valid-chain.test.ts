import { judges, tls } from "../../../../test/observation.ts"
import { certValidChain } from "./cert-valid-chain.ts"

judges(certValidChain, [
  ["a trusted root", () => {}, true, "CN=Sandbox Issuing CA"],
  [
    "no trusted root",
    tls((t) =>
      Object.assign(t, { chainValid: false, chainError: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" }),
    ),
    false,
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  ],
  [
    "no handshake",
    (o) => {
      o.tls = { unknown: "refused" }
    },
    "refused",
  ],
])
