import { home, judges } from "../../../../test/observation.ts"
import { canonicalMatches } from "./canonical-matches.ts"

judges(canonicalMatches, [
  ["its own address", () => {}, true, "https://shop.example/"],
  [
    "its own www",
    home((page) => {
      page.canonical = "https://www.shop.example/"
    }),
    true,
  ],
  [
    "no canonical link",
    home((page) => {
      delete page.canonical
    }),
    true,
  ],
  [
    "another domain",
    home((page) => {
      page.canonical = "https://www.paypal.com/"
    }),
    false,
    "https://www.paypal.com/",
  ],
  [
    "no page",
    (o) => {
      o.http.home = { unknown: "timeout" }
    },
    "timeout",
  ],
])
