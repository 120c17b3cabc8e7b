import type { Change } from "../../../../test/observation.ts"
import { judges } from "../../../../test/observation.ts"
import { httpRedirectsHttps } from "./http-redirects-https.ts"

const plainly =
  (status: number, headers = {}): Change =>
  (o) => {
    o.http.plain = { value: { hops: [{ url: "http://shop.example/", status, headers }] } }
  }

judges(httpRedirectsHttps, [
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
