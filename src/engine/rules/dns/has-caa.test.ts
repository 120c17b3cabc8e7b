import { judges, none, onPlatform, records } from "../../../../test/observation.ts"
import { hasCaa } from "./has-caa.ts"

judges(hasCaa, [
  ["an issue property", () => {}, true, '0 issue "ca.example"'],
  [
    "wildcards alone",
    (o) => {
      o.dns.caa = records('128 issuewild ";"')
    },
    true,
  ],
  [
    "an address for reports restricts nobody",
    (o) => {
      o.dns.caa = records('0 iodef "mailto:a@shop.example"')
    },
    false,
  ],
  [
    "none",
    (o) => {
      o.dns.caa = none()
    },
    false,
  ],
  [
    "no answer",
    (o) => {
      o.dns.caa = { unknown: "timeout" }
    },
    "timeout",
  ],
  ["the platform's zone", onPlatform, "platform"],
])
