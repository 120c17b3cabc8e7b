import { judges, none, onPlatform, records } from "../../../../test/observation.ts"
import { serviceVerificationTxt } from "./service-verification-txt.ts"

judges(serviceVerificationTxt, [
  ["one service", () => {}, true, "google-site-verification="],
  [
    "capitals do not matter",
    (o) => {
      o.dns.txt = records("MS=ms12345678")
    },
    true,
    "ms=",
  ],
  [
    "other text",
    (o) => {
      o.dns.txt = records("v=spf1 -all", "about google-site-verification=")
    },
    false,
  ],
  [
    "none",
    (o) => {
      o.dns.txt = none()
    },
    false,
  ],
  [
    "no answer",
    (o) => {
      o.dns.txt = { unknown: "timeout" }
    },
    "timeout",
  ],
  ["the platform's zone", onPlatform, "platform"],
])
