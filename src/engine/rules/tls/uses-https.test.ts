import { answered, brokenOff, judges } from "../../../../test/observation.ts"
import { usesHttps } from "./uses-https.ts"

judges(usesHttps, [
  ["a handshake", () => {}, true, "TLSv1.3"],
  [
    "a handshake, whatever HTTP then did",
    (o) => {
      o.http.secure = { unknown: "timeout" }
    },
    true,
  ],
  ["back to plain HTTP", answered({}, 200, "http://shop.example/"), false, "http://shop.example/"],
  [
    "back to plain HTTP, where nobody answered",
    brokenOff("http://shop.example/", "unreachable", "timeout"),
    "timeout",
  ],
  ["on to HTTPS, where nobody answered", brokenOff("/slow", "unreachable", "timeout"), true],
  [
    "the port refuses",
    (o) => {
      o.tls = { unknown: "refused" }
    },
    "refused",
  ],
  [
    "the port is silent",
    (o) => {
      o.tls = { unknown: "timeout" }
    },
    "timeout",
  ],
])
