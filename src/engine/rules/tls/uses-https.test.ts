import { answered, judges } from "../../../../test/observation.ts"
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
