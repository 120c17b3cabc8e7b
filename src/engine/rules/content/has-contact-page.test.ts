import { judges, page } from "../../../../test/observation.ts"
import { hasContactPage } from "./has-contact-page.ts"

const missing = { value: page("https://shop.example/contact", "", { status: 404 }) }

judges(hasContactPage, [
  ["a contact page", () => {}, true, "https://shop.example/contact"],
  [
    "an imprint",
    (o) => {
      ;[o.http.contact, o.http.imprint] = [
        missing,
        { value: page("https://shop.example/imprint", "Imprint") },
      ]
    },
    true,
  ],
  [
    "neither",
    (o) => {
      ;[o.http.contact, o.http.imprint] = [missing, missing]
    },
    false,
  ],
  [
    "one missing, one unseen",
    (o) => {
      ;[o.http.contact, o.http.imprint] = [missing, { unknown: "timeout" }]
    },
    "timeout",
  ],
])
