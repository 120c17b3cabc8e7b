import { home, judges } from "../../../../test/observation.ts"
import { defaultServerPage } from "./default-server-page.ts"

judges(defaultServerPage, [
  [
    "the longest page that is short",
    home((p) => {
      p.text = "Welcome to nginx"
      p.textLength = 3_000
    }),
    true,
  ],
  [
    "nginx",
    home((page) => {
      page.title = "Welcome to nginx!"
    }),
    true,
    "welcome to nginx",
  ],
  [
    "told by its text",
    home((page) => {
      page.text = "IIS Windows Server"
    }),
    true,
  ],
  [
    "a title that says nothing else",
    home((page) => {
      page.title = "It works!"
    }),
    true,
    "It works!",
  ],
  [
    "the same words within a title",
    home((page) => {
      page.title = "It works! How we bake"
    }),
    false,
  ],
  [
    "a long page about it",
    home((page) => {
      page.text = "Welcome to nginx, a course"
      page.textLength = 9_000
    }),
    false,
  ],
  ["a shop", () => {}, false],
  [
    "no page",
    (o) => {
      o.http.home = { unknown: "timeout" }
    },
    "timeout",
  ],
])
