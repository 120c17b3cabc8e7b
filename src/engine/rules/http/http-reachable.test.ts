import { judges, none } from "../../../../test/observation.ts"
import { httpReachable } from "./http-reachable.ts"

judges(httpReachable, [
  ["over HTTPS", () => {}, true, "https://shop.example/"],
  [
    "over plain HTTP alone",
    (o) => {
      o.http.secure = { unknown: "refused" }
    },
    true,
  ],
  [
    "no address",
    (o) => {
      ;[o.dns.a, o.dns.aaaa, o.http.plain, o.http.secure] = [
        none(),
        none(),
        { unknown: "unreachable" },
        { unknown: "unreachable" },
      ]
    },
    false,
  ],
  [
    "an address, and silence",
    (o) => {
      ;[o.http.plain, o.http.secure] = [{ unknown: "timeout" }, { unknown: "timeout" }]
    },
    "timeout",
  ],
])
