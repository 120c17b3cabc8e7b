import { home, judges } from "../../../../test/observation.ts"
import { orgMatchesDomain } from "./org-matches-domain.ts"

const organisation = (...organisations: { name?: string; url?: string }[]) =>
  home((page) => {
    page.organisations = organisations
  })

judges(orgMatchesDomain, [
  ["three letters are enough", organisation({ name: "Sho" }), true],
  ["two are not", organisation({ name: "Sh" }), false],
  [
    "its URL is the domain's",
    organisation({ name: "Bakers United", url: "https://www.shop.example/" }),
    true,
    "Bakers United",
  ],
  ["its name holds the label", organisation({ name: "The Shop Ltd" }), true],
  [
    "its URL is another's, whatever the name",
    organisation({ name: "Shop", url: "https://paypal.com/" }),
    false,
  ],
  ["its name is another's", organisation({ name: "PayPal, Inc." }), false, "PayPal, Inc."],
  ["one of several fits", organisation({ name: "Other" }, { name: "Shop" }), true],
  ["none is named", organisation(), false],
  [
    "no page",
    (o) => {
      o.http.home = { unknown: "timeout" }
    },
    "timeout",
  ],
])
