import { judges, page } from "../../../../test/observation.ts"
import { hasPrivacyPage } from "./has-privacy-page.ts"

judges(hasPrivacyPage, [
  ["a page", () => {}, true, "https://shop.example/privacy"],
  [
    "none",
    (o) => {
      o.http.privacy = { value: page("https://shop.example/privacy", "", { status: 404 }) }
    },
    false,
  ],
  [
    "silence",
    (o) => {
      o.http.privacy = { unknown: "timeout" }
    },
    "timeout",
  ],
])
