/** Redirects that lead nowhere, elsewhere, or inside. */
import type { Character } from "../character.ts"
import type { Answer } from "../web/answer.ts"
import { redirect, toHttps } from "../web/respond.ts"
import { GROWN, modest, OLD, settled, ZONE } from "./parts.ts"

interface Case {
  readonly name: string
  readonly domain: string
  readonly story: string
  readonly to: Parameters<typeof redirect>[0]
}

/** Each of these must be stopped before a single packet goes where it points. */
const inside: readonly Case[] = [
  {
    name: "redirect-to-loopback",
    domain: "to-loopback.test",
    story: "Sends its visitors to a port of their own machine.",
    to: ({ trapPort }) => `http://127.0.0.1:${trapPort}/`,
  },
  {
    name: "redirect-to-localhost-name",
    domain: "to-localhost.test",
    story: "Sends its visitors to `localhost` over HTTPS.",
    to: ({ trapPort }) => `https://localhost:${trapPort}/`,
  },
  {
    name: "redirect-to-mapped-ipv6",
    domain: "to-mapped.test",
    story: "Sends its visitors to a private IPv4 address in IPv6 clothes.",
    to: "http://[::ffff:10.0.0.1]/",
  },
  {
    name: "redirect-to-metadata",
    domain: "to-metadata.test",
    story: "Sends its visitors to the metadata service of their cloud.",
    to: "http://169.254.169.254/latest/meta-data/",
  },
  {
    name: "redirect-to-decimal",
    domain: "to-decimal.test",
    story: "Sends its visitors to 127.0.0.1 written as one number.",
    to: "http://2130706433/",
  },
  {
    name: "redirect-to-private-name",
    domain: "to-private-name.test",
    story: "Sends its visitors to a harmless name whose address is private.",
    to: "https://intranet.private-address.test/",
  },
  {
    name: "redirect-to-odd-port",
    domain: "to-odd-port.test",
    story: "Sends its visitors to port 8443 of itself.",
    to: "https://to-odd-port.test:8443/",
  },
]

const everywhere = (answer: Answer) => ({ http: answer, https: answer })

export const redirects: readonly Character[] = [
  ...inside.map(
    ({ to, ...one }): Character => ({
      ...one,
      because: "The guard stops it; a site that leads there is at best broken, and little is seen.",
      expect: { action: "review", evidence: ["dns_resolves"], absent: ["domain_age_over_5y"] },
      ...modest({ name: "Somewhere", domain: one.domain, does: "is elsewhere" }),
      web: everywhere(redirect(to)),
    }),
  ),
  {
    name: "redirect-loop",
    story: "Two pages that send the visitor to each other.",
    because: "There is no page at the end of it, so nothing of the content is known.",
    expect: { action: "review", evidence: ["dns_resolves"], unknown: ["thin_page"] },
    ...modest({ name: "Round", domain: "redirect-loop.test", does: "goes round" }),
    web: everywhere(
      redirect((_stage, path) => `https://redirect-loop.test/${path === "/a" ? "b" : "a"}`),
    ),
  },
  {
    name: "endless-redirects",
    story: "Every page leads to a new one.",
    because: "The visit ends at the cap; nothing of the content is known.",
    expect: { action: "review", evidence: ["dns_resolves"], unknown: ["thin_page"] },
    ...modest({ name: "Onward", domain: "endless-redirects.test", does: "goes on" }),
    web: everywhere(
      redirect((_stage, path) => `https://endless-redirects.test/${path.length}${path}`),
    ),
  },
  {
    name: "redirect-off-domain",
    story: "A young name that does nothing but lead to an old shop.",
    because: "What is seen belongs to somebody else: the shop's merits are not this name's.",
    expect: { action: "review", evidence: ["redirects_off_domain", "dns_resolves"] },
    ...modest({ name: "Detour", domain: "linden-deals.test", does: "leads to a shop" }),
    web: everywhere(redirect("https://lindenshop.test/")),
    registration: { registeredDaysAgo: 60, expiresInDays: 305 },
  },
  {
    name: "redirect-to-www",
    story: "An old shop that lives at its `www.` name.",
    because: "The same registrable domain: that is no detour.",
    expect: {
      action: "approve",
      evidence: ["http_reachable", "http_redirects_https"],
      absent: ["redirects_off_domain"],
    },
    ...settled({ name: "Double U", domain: "double-u.test", does: "repairs typewriters" }),
    web: {
      http: toHttps,
      https: {
        kind: "http",
        respond(request, response, stage) {
          const settledSite = settled({
            name: "Double U",
            domain: "www.double-u.test",
            does: "repairs typewriters",
          }).web.https
          if (request.headers.host === "double-u.test") {
            response.writeHead(301, { location: `https://www.double-u.test${request.url}` }).end()
          } else if (settledSite.kind === "http") settledSite.respond(request, response, stage)
        },
      },
    },
    zone: ZONE,
    registration: OLD,
  },
  {
    name: "downgrade",
    story: "HTTPS that sends its visitors back to plain HTTP, and HTTP that sends them to HTTPS.",
    because: "A loop over two schemes, and no page at the end.",
    expect: { action: "review", evidence: ["dns_resolves"], unknown: ["thin_page"] },
    ...modest({ name: "Seesaw", domain: "downgrade-loop.test", does: "goes up and down" }),
    web: { http: toHttps, https: redirect("http://downgrade-loop.test/") },
    registration: GROWN,
  },
  {
    name: "bad-location",
    story: "Redirects to something that is no address at all.",
    because: "A broken server: nothing of the content is known.",
    expect: { action: "review", evidence: ["dns_resolves"], unknown: ["thin_page"] },
    ...modest({ name: "Nowhere", domain: "bad-location.test", does: "is lost" }),
    web: everywhere(redirect("javascript:alert(document.domain)//%zz")),
  },
]
