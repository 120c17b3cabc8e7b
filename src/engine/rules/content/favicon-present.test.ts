import { home, judges } from "../../../../test/observation.ts"
import { faviconPresent } from "./favicon-present.ts"

judges(faviconPresent, [
  ["an icon", () => {}, true],
  [
    "none",
    home((page) => {
      page.favicon = false
    }),
    false,
  ],
  [
    "no page",
    (o) => {
      o.http.home = { unknown: "deadline" }
    },
    "deadline",
  ],
])
