import { home, judges } from "../../../../test/observation.ts"
import { socialLinksPresent } from "./social-links-present.ts"

const link = (url: string) =>
  home((page) => {
    page.links = [{ url, text: "" }]
  })

judges(socialLinksPresent, [
  ["an account", () => {}, true, "https://www.linkedin.com/company/sandbox"],
  ["the network's home is no account", link("https://www.facebook.com/"), false],
  ["a name that only ends alike", link("https://notfacebook.com/shop"), false],
  [
    "no page",
    (o) => {
      o.http.home = { unknown: "timeout" }
    },
    "timeout",
  ],
])
