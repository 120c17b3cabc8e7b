import { answered, judges } from "../../../../test/observation.ts"
import { redirectsOffDomain } from "./redirects-off-domain.ts"

judges(redirectsOffDomain, [
  [
    "to another domain",
    answered({}, 200, "https://other.example/x"),
    true,
    "https://other.example/x",
  ],
  ["to a domain that only ends alike", answered({}, 200, "https://myshop.example/"), true],
  ["to its own subdomain", answered({}, 200, "https://www.shop.example/"), false],
  [
    "to a private address, where nobody followed",
    (o) => {
      o.http.secure = {
        value: {
          hops: [
            {
              url: "https://shop.example/",
              status: 302,
              headers: { location: ["http://192.168.0.1/"] },
            },
          ],
          stopped: "blocked",
        },
      }
    },
    true,
    "http://192.168.0.1/",
  ],
  [
    "round in circles at home",
    (o) => {
      o.http.secure = {
        value: {
          hops: [{ url: "https://shop.example/", status: 302, headers: { location: ["/"] } }],
          stopped: "redirect_loop",
        },
      }
    },
    false,
  ],
  ["nowhere", () => {}, false],
  [
    "no visit",
    (o) => {
      ;[o.http.plain, o.http.secure] = [{ unknown: "timeout" }, { unknown: "timeout" }]
    },
    "timeout",
  ],
])
