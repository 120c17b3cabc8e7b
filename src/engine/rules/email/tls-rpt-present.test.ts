import { judges, none, records } from "../../../../test/observation.ts"
import { tlsRptPresent } from "./tls-rpt-present.ts"

judges(tlsRptPresent, [
  ["an address", () => {}, true, "mailto:tls@shop.example"],
  [
    "a URL",
    (o) => {
      o.dns.tlsRpt = records("v=TLSRPTv1;rua=https://r.example/x")
    },
    true,
  ],
  [
    "nowhere to send",
    (o) => {
      o.dns.tlsRpt = records("v=TLSRPTv1")
    },
    false,
  ],
  [
    "none",
    (o) => {
      o.dns.tlsRpt = none()
    },
    false,
  ],
  [
    "no answer",
    (o) => {
      o.dns.tlsRpt = { unknown: "timeout" }
    },
    "timeout",
  ],
])
