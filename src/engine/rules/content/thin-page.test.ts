import { home, judges } from "../../../../test/observation.ts"
import { thinPage } from "./thin-page.ts"

const link = { url: "https://shop.example/a", text: "A" }

judges(thinPage, [
  [
    "few words and links",
    home((page) => {
      page.textLength = 199
      page.links = [link]
    }),
    true,
    "199 characters, 1 links",
  ],
  [
    "enough words",
    home((page) => {
      page.textLength = 200
      page.links = []
    }),
    false,
  ],
  [
    "enough links",
    home((page) => {
      page.textLength = 0
      page.links = [link, link, link, link, link]
    }),
    false,
  ],
  [
    "no page",
    (o) => {
      o.http.home = { unknown: "timeout" }
    },
    "timeout",
  ],
])
