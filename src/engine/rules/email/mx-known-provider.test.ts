import { judges, none, records } from "../../../../test/observation.ts"
import { mxKnownProvider } from "./mx-known-provider.ts"

judges(mxKnownProvider, [
  ["a host of the provider's", () => {}, true, "aspmx.l.google.com"],
  [
    "one of several",
    (o) => {
      o.dns.mx = records("5 mx.shop.example", "10 mx.zoho.eu")
    },
    true,
  ],
  [
    "its own server",
    (o) => {
      o.dns.mx = records("5 mx.shop.example")
    },
    false,
  ],
  [
    "a name that only ends alike",
    (o) => {
      o.dns.mx = records("5 mx.notgoogle.com")
    },
    false,
  ],
  [
    "no mail",
    (o) => {
      o.dns.mx = none()
    },
    false,
  ],
  [
    "no answer",
    (o) => {
      o.dns.mx = { unknown: "timeout" }
    },
    "timeout",
  ],
])
