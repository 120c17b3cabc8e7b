import type { Change } from "../../../../test/observation.ts"
import { brokenOff, judges } from "../../../../test/observation.ts"
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
    brokenOff("http://10.0.0.1/", "blocked", undefined, "plain"),
    "blocked",
  ],
  [
    "a target that did not answer may lead on",
    brokenOff("/slow", "unreachable", "deadline", "plain"),
    "deadline",
  ],
  [
    "so may one that was not visited",
    brokenOff("/7", "too_many_redirects", undefined, "plain"),
    "not_observed",
  ],
  ["a loop was seen whole", brokenOff("/", "redirect_loop", undefined, "plain"), false],
  [
    "a way to HTTPS that ends there",
    brokenOff("https:///www.shop.example/", "unreachable", "refused", "plain"),
    true,
    "https://www.shop.example/",
  ],
  [
    "a page that names an address, but sends nobody",
    plainly(200, { location: ["https://shop.example/"] }),
    false,
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
