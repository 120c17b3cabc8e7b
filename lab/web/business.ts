/**
 * The site of an ordinary business, made from a few words about it: a home page with real text,
 * the usual standard pages, and as much hygiene as its owner has.
 */

import type { Answer } from "./answer.ts"
import type { Headers, Resource } from "./respond.ts"
import { html, site, text } from "./respond.ts"

export interface Business {
  readonly name: string
  readonly domain: string
  /** What it does, a clause: "sells hand-made shoes". */
  readonly does: string
  /** Standard pages besides the home page; all of them unless told. */
  readonly pages?: readonly StandardPage[]
  readonly headers?: Headers
  /** A favicon, a canonical link, schema.org data, links to social media, robots.txt. */
  readonly polished?: boolean
  readonly securityTxt?: boolean
  /** The MTA-STS policy of its mail host (RFC 8461 §3.2). */
  readonly mtaSts?: string
}

export type StandardPage = "privacy" | "terms" | "contact" | "about" | "imprint"

const ALL_PAGES: readonly StandardPage[] = ["privacy", "terms", "contact", "about", "imprint"]

/** HSTS, CSP and the usual protections. */
export const CAREFUL_HEADERS: Headers = {
  "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
  "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  "referrer-policy": "strict-origin-when-cross-origin",
}

export function business(about: Business): Answer {
  const { name, domain, does, pages = ALL_PAGES, polished = true } = about
  const links = pages.map((page) => `<a href="/${page}">${TITLES[page]}</a>`).join(" · ")
  const page = (title: string, text: string) =>
    html(
      `${title} – ${name}`,
      `<header><h1>${name}</h1><nav>${links}</nav></header><main><h2>${title}</h2>${text}</main>
<footer><p>${name}, 12 Mill Lane, Lower Marling. Telephone +44 20 7946 0123.
<a href="mailto:hello@${domain}">hello@${domain}</a></p>${polished ? SOCIAL : ""}</footer>`,
      polished ? head(about) : "",
    )
  const resources: Record<string, Resource> = {
    "/": page("Welcome", homeText(name, does)),
    ...Object.fromEntries(pages.map((key) => [`/${key}`, page(TITLES[key], TEXTS[key](about))])),
  }
  if (polished) {
    resources["/robots.txt"] = text("User-agent: *\nDisallow: /basket\n")
    resources["/favicon.ico"] = { type: "image/x-icon", body: () => "" }
  }
  if (about.securityTxt) resources["/.well-known/security.txt"] = securityTxt(domain)
  if (about.mtaSts !== undefined) {
    resources["/.well-known/mta-sts.txt"] = text(about.mtaSts)
  }
  return site(resources, about.headers)
}

const SOCIAL = `<p>Follow us: <a href="https://www.linkedin.com/company/lower-marling">LinkedIn</a>
<a href="https://www.instagram.com/lower.marling">Instagram</a></p>`

const TITLES: Record<StandardPage, string> = {
  privacy: "Privacy policy",
  terms: "Terms and conditions",
  contact: "Contact",
  about: "About us",
  imprint: "Imprint",
}

const TEXTS: Record<StandardPage, (about: Business) => string> = {
  privacy: ({ name }) =>
    `<p>${name} is the controller of the personal data that you give us. We keep your name, your
address and what you ordered for as long as tax law asks, and share them with nobody but the
carrier who brings your parcel. You may ask us at any time what we hold about you, have it
corrected or deleted, and complain to the supervisory authority.</p>`,
  terms: ({ name }) =>
    `<p>These terms apply to every contract between ${name} and its customers. Prices include VAT.
You may withdraw from a purchase within fourteen days without giving a reason; we pay back what
you paid within another fourteen days. Statutory warranty rights remain untouched.</p>`,
  contact: ({ name, domain }) =>
    `<p>Write to <a href="mailto:hello@${domain}">hello@${domain}</a>, call +44 20 7946 0123
on weekdays from nine to five, or visit ${name} at 12 Mill Lane, Lower Marling.</p>`,
  about: ({ name, does }) =>
    `<p>${name} ${does}. We began in a shed behind the mill with two people and a borrowed van;
today eleven of us work here, and the van is our own. Every apprentice whom we ever trained has
found work, five of them with us.</p>`,
  imprint: ({ name }) =>
    `<p>${name}, 12 Mill Lane, Lower Marling. Company number 01234567. VAT GB 123 4567 89.
Represented by its directors.</p>`,
}

function homeText(name: string, does: string): string {
  return `<p>${name} ${does}. Everything that we offer is made or chosen by the people whom you
meet when you walk through our door, and we stand by it: if something is not right, bring it back
and we will repair it, exchange it, or return your money.</p>
<p>Our workshop is open from Monday to Saturday. Orders that reach us before noon leave the house
on the same day, in paper and straw and without any plastic. Delivery within the country takes two
working days and costs four pounds; above sixty pounds it is on us.</p>
<p>This season we are especially proud of the new range that we developed together with the school
of arts in the valley. It will be shown at the spring fair, and a few first pieces may already be
seen in the shop window. For larger quantities, for repairs, and for anything that has to fit a
particular place, please talk to us first: we are glad to come by and measure.</p>
<p>We have been members of the guild for as long as we exist, and the guild's seal hangs in our
office. Read what our customers say, ask our neighbours, or simply come and see for yourself.</p>`
}

function head({ name, domain, does }: Business): string {
  const organisation = {
    "@context": "https://schema.org",
    "@type": "Organization",
    name,
    url: `https://${domain}/`,
    email: `hello@${domain}`,
  }
  return `<meta name="description" content="${name} ${does}.">
<link rel="canonical" href="https://${domain}/"><link rel="icon" href="/favicon.ico">
<script type="application/ld+json">${JSON.stringify(organisation)}</script>`
}

/** RFC 9116; good for half a year. */
function securityTxt(domain: string): Resource {
  return {
    type: "text/plain; charset=utf-8",
    body: ({ now }) =>
      [
        `Contact: mailto:security@${domain}`,
        `Expires: ${new Date(now.getTime() + 180 * 86_400_000).toISOString()}`,
        `Canonical: https://${domain}/.well-known/security.txt`,
        "",
      ].join("\n"),
  }
}
