import { judges, onPlatform } from "../../../../test/observation.ts"
import { spfLookupLimitExceeded } from "./spf-lookup-limit-exceeded.ts"

judges(spfLookupLimitExceeded, [
  [
    "eleven",
    (o) => {
      o.dns.spfLookups = { value: 11 }
    },
    true,
    "11 of 10",
  ],
  [
    "ten are allowed",
    (o) => {
      o.dns.spfLookups = { value: 10 }
    },
    false,
  ],
  [
    "not seen",
    (o) => {
      o.dns.spfLookups = { unknown: "timeout" }
    },
    "timeout",
  ],
  ["the platform's mail", onPlatform, "platform"],
])
