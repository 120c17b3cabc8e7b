import { home, judges } from "../../../../test/observation.ts"
import { orgSchemaPresent } from "./org-schema-present.ts"

judges(orgSchemaPresent, [
  ["an organisation", () => {}, true, "shop.example"],
  [
    "none",
    home((page) => {
      page.organisations = []
    }),
    false,
  ],
  [
    "no page",
    (o) => {
      o.http.home = { unknown: "challenge" }
    },
    "challenge",
  ],
])
