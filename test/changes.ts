/** Changes to the good site that several tests of verdicts make. */
import { hideWeb } from "../src/engine/sandbox-site.ts"
import type { Why } from "../src/engine/types.ts"
import type { Change } from "./observation.ts"
import { all, daysFrom, home, NOW, none, page, registration } from "./observation.ts"

/** Nothing of the web was seen. */
export const unseenWeb =
  (why: Why): Change =>
  (o) =>
    hideWeb(o, why)
/** Registered so many days ago. */
export const aged = (days: number) =>
  registration((r) => {
    r.registeredAt = daysFrom(NOW, -days)
  })
/** Paid for less than a year ahead. */
export const brief = registration((r) => {
  r.expiresAt = daysFrom(NOW, 300)
})
/** No mail policies. */
export const bareMail: Change = ({ dns }) => {
  dns.txt = none()
  dns.dmarc = none("NXDOMAIN")
  dns.mtaSts = none("NXDOMAIN")
  dns.tlsRpt = none("NXDOMAIN")
  dns.bimi = none("NXDOMAIN")
}
/** No DNSSEC and no CAA. */
export const unsigned: Change = ({ dns }) => {
  dns.ds = none()
  dns.dnskey = none()
  dns.caa = none()
}
const missing = { value: page("https://shop.example/x", "", { status: 404 }) }
/** None of the standard pages. */
export const noPages: Change = ({ http }) => {
  for (const key of ["privacy", "terms", "contact", "about", "imprint"] as const)
    http[key] = missing
  http.securityTxt = {
    value: { url: "https://shop.example/", status: 404, contentType: "text/html", text: "" },
  }
}
/** No security headers. */
export const bareHeaders: Change = ({ http }) => {
  http.secure = { value: { hops: [{ url: "https://shop.example/", status: 200, headers: {} }] } }
}
/** A home page that says nothing of its holder. */
export const bareHome = home((p) => {
  p.organisations = []
  p.links = []
  p.emails = []
  p.favicon = false
  delete p.canonical
})
/** All of that together: a site that does little more than work. */
export const bare = all(bareMail, unsigned, noPages, bareHeaders, bareHome, brief)
/** A name that is not in the DNS. */
export const unresolved: Change = all(unseenWeb("unreachable"), (o) => {
  for (const key of [
    "a",
    "aaaa",
    "ns",
    "mx",
    "txt",
    "caa",
    "ds",
    "dnskey",
    "dmarc",
    "mtaSts",
    "tlsRpt",
    "bimi",
  ] as const) {
    o.dns[key] = none("NXDOMAIN")
  }
  o.dns.nsAddresses = { value: {} }
  o.dns.spfLookups = { value: 0 }
})

/** A name that does not exist, and that nobody registered. */
export const nowhere: Change = all(unresolved, (o) => {
  o.registration = { value: null }
})
