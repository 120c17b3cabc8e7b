import { judges, page } from "../../../../test/observation.ts"
import { hasTermsPage } from "./has-terms-page.ts"

judges(hasTermsPage, [
  ["a page", () => {}, true, "https://shop.example/terms"],
  [
    "none",
    (o) => {
      o.http.terms = { value: page("https://shop.example/terms", "", { status: 404 }) }
    },
    false,
  ],
  [
    "an error",
    (o) => {
      o.http.terms = { value: page("https://shop.example/terms", "", { status: 503 }) }
    },
    "server_error",
  ],
])
