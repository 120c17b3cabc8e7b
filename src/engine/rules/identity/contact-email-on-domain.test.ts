import type { Change } from "../../../../test/observation.ts"
import { all, judges } from "../../../../test/observation.ts"
import { contactEmailOnDomain } from "./contact-email-on-domain.ts"

const emails =
  (...addresses: string[]): Change =>
  ({ http: { home, contact } }) => {
    for (const page of [home, contact]) if ("value" in page) page.value.emails = addresses
  }

judges(contactEmailOnDomain, [
  ["at the domain", emails("hello@shop.example"), true],
  ["below it, in capitals", emails("hello@Mail.SHOP.example"), true],
  ["at a free provider's", emails("shop.example@gmail.com"), false],
  ["at a domain that only ends alike", emails("a@notshop.example"), false],
  [
    "on the contact page alone",
    ({ http: { home } }) => {
      if ("value" in home) home.value.emails = []
    },
    true,
  ],
  ["none", emails(), false],
  [
    "none, and the contact page unseen",
    all(emails(), (o) => {
      o.http.contact = { unknown: "timeout" }
    }),
    "timeout",
  ],
])
