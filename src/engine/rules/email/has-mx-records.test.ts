import { judges, none, onPlatform, records } from "../../../../test/observation.ts"
import { hasMxRecords } from "./has-mx-records.ts"

judges(hasMxRecords, [
  ["a mail host", () => {}, true, "aspmx.l.google.com"],
  [
    "none",
    (o) => {
      o.dns.mx = none()
    },
    false,
  ],
  [
    "null MX takes none",
    (o) => {
      o.dns.mx = records("0 .")
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
  [
    "a domain that does not exist",
    (o) => {
      o.dns.ns = none("NXDOMAIN")
    },
    "not_offered",
  ],
  ["the platform's mail", onPlatform, "platform"],
])
