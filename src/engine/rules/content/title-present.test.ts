import { home, judges } from "../../../../test/observation.ts"
import { titlePresent } from "./title-present.ts"

judges(titlePresent, [
  ["a title", () => {}, true, "Home"],
  [
    "none",
    home((page) => {
      delete page.title
    }),
    false,
  ],
  [
    "nothing but spaces",
    home((page) => {
      page.title = " \n "
    }),
    false,
  ],
  [
    "a challenge",
    (o) => {
      o.http.home = { unknown: "challenge" }
    },
    "challenge",
  ],
  [
    "an error page's title says nothing",
    home((page) => {
      page.status = 500
    }),
    "server_error",
  ],
  [
    "another domain's title is not its own",
    home((page) => {
      page.url = "https://other.example/"
    }),
    "not_observed",
  ],
])
