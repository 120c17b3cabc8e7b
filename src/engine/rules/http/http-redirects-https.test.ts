import type { Change } from "../../../../test/observation.ts"
import { judges } from "../../../../test/observation.ts"
import { httpRedirectsHttps } from "./http-redirects-https.ts"

const plainly =
  (status: number, headers = {}): Change =>
  (o) => {
    o.http.plain = { value: { hops: [{ url: "http://shop.example/", status, headers }] } }
  }

judges(httpRedirectsHttps, [
  [
    "a visit without an exchange",
    (o) => {
      o.http.plain = { value: { hops: [] } }
    },
    "malformed",
  ],
  [
    "a step that the guard forbade",
    (o) => {
      o.http.plain = {
        value: {
          hops: [
            {
              url: "http://shop.example/",
              status: 302,
              headers: { location: ["http://10.0.0.1/"] },
            },
          ],
          stopped: "blocked",
        },
      }
    },
    "blocked",
  ],
  ["a redirect", () => {}, true, "https://shop.example/"],
  ["a page over plain HTTP", plainly(200), false, "http://shop.example/"],
  [
    "a redirect whose target was not visited",
    plainly(301, { location: ["https://shop.example/"] }),
    true,
  ],
  ["a gatekeeper", plainly(403), "challenge"],
  ["an error", plainly(502), "server_error"],
  [
    "the port refuses",
    (o) => {
      o.http.plain = { unknown: "refused" }
    },
    "refused",
  ],
])
