import { judges, onPlatform } from "../../../../test/observation.ts"
import { dnssecBogus } from "./dnssec-bogus.ts"

judges(dnssecBogus, [
  [
    "clears with checking disabled",
    (o) => {
      o.dns.bogus = { value: true }
    },
    true,
  ],
  ["nothing of the kind", () => {}, false],
  [
    "not seen",
    (o) => {
      o.dns.bogus = { unknown: "timeout" }
    },
    "timeout",
  ],
  ["the platform's zone", onPlatform, "platform"],
])
