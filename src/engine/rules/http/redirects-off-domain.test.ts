import type { Case, Change } from "../../../../test/observation.ts"
import { all, answered, brokenOff, judges } from "../../../../test/observation.ts"
import { redirectsOffDomain } from "./redirects-off-domain.ts"

const plainlyAway: Change = (o) => {
  o.http.plain = {
    value: {
      hops: [
        {
          url: "http://shop.example/",
          status: 302,
          headers: { location: ["https://other.example/"] },
        },
        { url: "https://other.example/", status: 200, headers: {} },
      ],
    },
  }
}

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
    brokenOff("http://192.168.0.1/", "blocked"),
    true,
    "http://192.168.0.1/",
  ],
  ...["//dead.example/x", "/\\dead.example/x", "https:///dead.example/x"].map(
    (location): Case => [
      `to a domain that did not answer, by ${location}`,
      brokenOff(location, "unreachable", "refused"),
      true,
      "https://dead.example/x",
    ],
  ),
  ...["http:127.0.0.1", "http:///127.0.0.1/"].map(
    (location): Case => [
      `to the visitor's own machine, by ${location}`,
      brokenOff(location, "blocked"),
      true,
      "http://127.0.0.1/",
    ],
  ),
  [
    "a visit without an exchange",
    (o) => {
      o.http.plain = { value: { hops: [] } }
    },
    "malformed",
  ],
  ["over plain HTTP alone", plainlyAway, true, "https://other.example/"],
  [
    "over plain HTTP, where HTTPS ends in nothing",
    all(brokenOff("/slow", "unreachable", "timeout"), plainlyAway),
    true,
  ],
  [
    "to a page of its own that did not answer, and may lead on",
    brokenOff("/slow", "unreachable", "timeout"),
    "timeout",
  ],
  [
    "over plain HTTP to such a page",
    brokenOff("/slow", "unreachable", "deadline", "plain"),
    "deadline",
  ],
  ["further than was followed", brokenOff("/7", "too_many_redirects"), "not_observed"],
  ["round in circles at home", brokenOff("/", "redirect_loop"), false],
  ["to what is no address", brokenOff("javascript:alert(1)", "bad_location"), false],
  [
    "nowhere, with plain HTTP closed",
    (o) => {
      o.http.plain = { unknown: "refused" }
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
