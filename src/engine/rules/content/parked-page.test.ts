import { all, answered, home, judges, onPlatform, records } from "../../../../test/observation.ts"
import { parkedPage } from "./parked-page.ts"

const parked = records("ns1.sedoparking.com", "ns2.sedoparking.com")

judges(parkedPage, [
  [
    "says so in the longest page that is short",
    home((p) => {
      p.text = "Buy this domain"
      p.textLength = 3_000
    }),
    true,
  ],
  [
    "a parking company's name servers",
    (o) => {
      o.dns.ns = parked
    },
    true,
    "ns1.sedoparking.com",
  ],
  [
    "…though no page was seen",
    (o) => {
      ;[o.dns.ns, o.http.home] = [parked, { unknown: "timeout" }]
    },
    true,
  ],
  [
    "…are the platform's on a shared suffix",
    all(onPlatform, (o) => {
      o.dns.ns = parked
    }),
    false,
  ],
  [
    "leads to a market of domains",
    answered({}, 200, "https://www.hugedomains.com/x"),
    true,
    "www.hugedomains.com",
  ],
  [
    "loads a parking company's scripts",
    home((page) => {
      page.resourceHosts = ["img.sedoparking.com"]
    }),
    true,
    "img.sedoparking.com",
  ],
  [
    "says so in a short page",
    home((page) => {
      page.text = "This DOMAIN is for SALE!"
    }),
    true,
    "domain is for sale",
  ],
  [
    "says so in its title",
    home((page) => {
      page.title = "shop.example: buy this domain"
    }),
    true,
  ],
  [
    "a long page that mentions it",
    home((page) => {
      page.text = "How to tell that a domain is for sale"
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
