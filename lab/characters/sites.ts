/** Sites with nothing behind them, sites in trouble, and one small sin. */
import type { Character } from "../character.ts"
import { refused } from "../web/answer.ts"
import { business, CAREFUL_HEADERS } from "../web/business.ts"
import { always, html, site, toHttps } from "../web/respond.ts"
import { GROWN, modest, OLD, settled, WEB, YOUNG } from "./parts.ts"

const NGINX = `<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and working. Further
configuration is required.</p>
<p>For online documentation and support please refer to <a href="http://nginx.org/">nginx.org</a>.
<br>Commercial support is available at <a href="http://nginx.com/">nginx.com</a>.</p>
<p><em>Thank you for using nginx.</em></p>`

const APACHE = `<h1>Apache2 Default Page</h1><p>It works!</p>
<p>This is the default welcome page used to test the correct operation of the Apache2 server after
installation on Debian systems. If you can read this page, it means that the Apache HTTP server
installed at this site is working properly. You should replace this file (located at
/var/www/html/index.html) before continuing to operate your HTTP server.</p>`

const PARKED = `<h1>parked-lab.test</h1><p>This domain is for sale! Buy this domain for
<a href="https://sedo.com/search/details/?domain=parked-lab.test">1,999 EUR</a>.</p>
<h2>Related searches</h2><ul><li>Insurance</li><li>Loans</li><li>Flights</li></ul>
<p>The domain owner maintains this parked page. Domain parking courtesy of Sedo.</p>
<script src="https://img.sedoparking.com/js/parking.js"></script>`

const CHALLENGE = html(
  "Just a moment...",
  `<noscript>Enable JavaScript and cookies to continue</noscript>
<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script>`,
  `<meta name="robots" content="noindex,nofollow">`,
)
const CHALLENGE_HEADERS = { "cf-mitigated": "challenge", server: "cloudflare" }

const cookies = {
  name: "Crumb and Crust",
  domain: "loose-cookies.test",
  does: "sends biscuits in tins",
  headers: { ...CAREFUL_HEADERS, "set-cookie": ["session=abc123", "basket=7; Path=/"] },
}

export const sites: readonly Character[] = [
  {
    name: "parked",
    story: "An old name that is parked and for sale.",
    because: "There is no business here to trust or to refuse.",
    expect: { action: "review", evidence: ["parked_page"], absent: ["default_server_page"] },
    ...modest({ name: "Parked", domain: "parked-lab.test", does: "is for sale" }),
    zone: {
      records: [
        ...WEB,
        "@ NS ns1.sedoparking.com",
        "@ NS ns2.sedoparking.com",
        "@ TXT v=spf1 -all",
      ],
    },
    web: { http: toHttps, https: site({ "/": html("parked-lab.test", PARKED) }) },
    registration: OLD,
  },
  {
    name: "default-page-nginx",
    story: "A server that was installed and never used.",
    because: "Nobody has put anything here yet.",
    expect: { action: "review", evidence: ["default_server_page"], absent: ["parked_page"] },
    ...modest({ name: "Default", domain: "default-nginx.test", does: "is empty" }),
    web: { http: toHttps, https: site({ "/": html("Welcome to nginx!", NGINX) }) },
  },
  {
    name: "default-page-apache",
    story: "The same with Apache, and without HTTPS.",
    because: "Nobody has put anything here yet.",
    expect: { action: "review", evidence: ["default_server_page"], unknown: ["cert_valid_chain"] },
    ...modest({ name: "Default", domain: "default-apache.test", does: "is empty" }),
    web: {
      http: site({ "/": html("Apache2 Debian Default Page: It works", APACHE) }),
      https: refused,
    },
    registration: GROWN,
  },
  {
    name: "thin",
    story: "A page with one sentence.",
    because: "Too little to tell what this is.",
    expect: { action: "review", evidence: ["thin_page"], absent: ["has_contact_page"] },
    ...modest({ name: "Thin", domain: "thin-page.test", does: "says little" }),
    web: { http: toHttps, https: site({ "/": html("Home", "<p>Coming soon.</p>") }) },
  },
  {
    name: "http-only",
    story: "A small trader without HTTPS.",
    because: "What is sent there can be read and changed on the way.",
    expect: { action: "review", evidence: ["http_reachable"], absent: ["http_redirects_https"] },
    ...modest({ name: "Plain Trade", domain: "http-only.test", does: "sells garden tools" }),
    web: {
      http: business({ name: "Plain Trade", domain: "http-only.test", does: "sells garden tools" }),
      https: refused,
    },
    registration: GROWN,
  },
  {
    name: "bot-challenge",
    story: "A young shop behind a wall that lets only browsers through.",
    because: "A challenge hides the content, it does not show that there is none.",
    expect: {
      action: "review",
      evidence: ["bot_challenge", "uses_https", "cert_valid_chain"],
      unknown: ["thin_page", "parked_page", "has_privacy_page", "has_contact_page"],
    },
    ...modest({ name: "Walled", domain: "bot-challenge.test", does: "hides" }),
    web: { http: toHttps, https: always(403, CHALLENGE, CHALLENGE_HEADERS) },
  },
  {
    name: "bot-challenge-503",
    story: "The same wall in its older form, with 503.",
    because: "The server is well; it only does not talk to programs.",
    expect: {
      action: "review",
      evidence: ["bot_challenge"],
      unknown: ["thin_page", "has_privacy_page"],
    },
    ...modest({ name: "Walled", domain: "bot-challenge-503.test", does: "hides" }),
    web: { http: toHttps, https: always(503, CHALLENGE, CHALLENGE_HEADERS) },
  },
  {
    name: "unavailable",
    story: "A young shop that answers 503 today.",
    because: "It may be back tomorrow: the content is unknown.",
    expect: {
      action: "review",
      evidence: ["server_error"],
      absent: ["bot_challenge"],
      unknown: ["thin_page", "has_contact_page"],
    },
    ...modest({ name: "Away", domain: "unavailable.test", does: "is away" }),
    web: {
      http: toHttps,
      https: always(503, html("Unavailable", "<p>Back soon.</p>"), { "retry-after": "3600" }),
    },
  },
  {
    name: "server-error",
    story: "A young shop whose program fails on every page.",
    because: "Broken is not fraudulent, and nothing of the content is known.",
    expect: { action: "review", evidence: ["server_error"], unknown: ["thin_page"] },
    ...modest({ name: "Broken", domain: "server-error.test", does: "is broken" }),
    web: { http: toHttps, https: always(500, html("Error", "<p>Internal Server Error</p>")) },
  },
  {
    name: "loose-cookies",
    story: "An old good shop that sets its cookies carelessly.",
    because: "A fault of hygiene on a site that is otherwise as it should be.",
    expect: { action: "approve", evidence: ["http_reachable"], absent: ["cookies_secure"] },
    ...settled(cookies),
    registration: OLD,
  },
  {
    name: "shared-suffix",
    domain: "somebody.github.io",
    story: "A page on a platform where anybody can have one.",
    because: "Age and DNS are the platform's and say nothing about somebody.",
    expect: {
      action: "review",
      evidence: ["shared_hosting_suffix", "uses_https"],
      unknown: ["domain_age_over_5y", "domain_age_under_30d"],
    },
    zone: { origin: "github.io", records: ["@ A {ipv4}", "somebody A {ipv4}"] },
    web: {
      http: toHttps,
      https: business({
        name: "Somebody",
        domain: "somebody.github.io",
        does: "writes about bicycles",
        pages: ["about"],
      }),
    },
    registration: OLD,
  },
  {
    name: "digits",
    story: "A betting site whose name is mostly digits, a few months old.",
    because: "An odd name, a short history, hardly any pages: a person should look.",
    expect: { action: "review", evidence: ["digit_heavy_label", "domain_age_under_1y"] },
    ...modest({ name: "Win 88", domain: "win8827204.test", does: "takes bets" }),
    registration: YOUNG,
  },
]
