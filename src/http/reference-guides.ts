/**
 * The reference's prose: what a person reads before and beside the operations. It says only what
 * this deployment does.
 */
import { html } from "hono/html"
import type { ProblemCode } from "../core/problem.ts"
import { PROBLEMS } from "../core/problem.ts"
import type { ApiDocument } from "./reference-document.ts"
import { exampleValue, jsonMarkup } from "./reference-example.ts"
import { statusBadge } from "./reference-operation.ts"
import { sandbox } from "./reference-sandbox.ts"
import { signals } from "./reference-signals.ts"
import type { Markup } from "./reference-text.ts"
import { sample, table } from "./reference-text.ts"

export interface Guide {
  readonly id: string
  readonly title: string
  readonly body: Markup
}

/** Before the operations. */
export function openingGuides(document: ApiDocument): Guide[] {
  return [
    { id: "quick-start", title: "Quick start", body: quickStart(document) },
    { id: "authentication", title: "Authentication", body: AUTHENTICATION },
    { id: "sandbox", title: "Sandbox", body: sandbox() },
    { id: "verdicts", title: "Reading a verdict", body: VERDICTS },
  ]
}

/** After them. */
export function closingGuides(document: ApiDocument): Guide[] {
  return [
    { id: "signals", title: "Signals and points", body: signals() },
    { id: "refusals", title: "Refusals", body: refusals(document) },
    { id: "conventions", title: "Conventions", body: CONVENTIONS },
    { id: "domain-owners", title: "For owners of judged domains", body: OWNERS },
  ]
}

function quickStart(document: ApiDocument): Markup {
  const origin = document.servers?.[0]?.url ?? ""
  return html`
    <p>The first start of the server prints a test key and the path of its certificate authority. Put both in variables, and ask:</p>
    ${sample(
      "command",
      "Quick start",
      `KEY='zt_test_…'      # your key
CA='authority.pem'   # the authority's certificate

curl --cacert "$CA" -H "Authorization: Bearer $KEY" \\
  '${origin}/v1/analyze?domain=approve.test'`,
      "Shell",
    )}
    <p>Leave <code>--cacert</code> out where the server's certificate comes from a public authority. With a live key the same call looks at any real domain.</p>`
}

const AUTHENTICATION = html`
  <p>Send the key in one header, whichever suits the client:</p>
  ${sample("headers", "Authentication headers", "Authorization: Bearer <key>\nx-api-key: <key>", "Either of these")}
  <ul>
    <li><code>zt_live_…</code> keys judge real domains; <code>zt_test_…</code> keys get fixed answers and touch nothing live.</li>
    <li>Both headers at once, or a key in the address, are refused with 400. Addresses end up in logs: treat a key that was in one as exposed, and rotate it.</li>
    <li>A key is shown once, when it is issued. The server keeps its SHA-256 alone.</li>
    <li>A key sent over plain HTTP is answered with 403 <code>KEY_SENT_IN_CLEAR</code>. Rotate it.</li>
  </ul>`

const VERDICTS = html`
  <p>The same evidence always gives the same score. <code>base</code> and the <code>points</code> of all insights add up to <code>trust_score</code>, so every point can be <a href="#signals">looked up</a>.</p>
  <ul>
    <li>A signal is <code>true</code>, <code>false</code> or <code>"unknown"</code>. What timed out, was refused or stood behind a bot challenge is unknown, never false.</li>
    <li>Unknown signals lower <code>confidence</code>, not the score. Where little could be seen, the action is <code>review</code>, whichever way the score points.</li>
    <li>A domain that does not exist or cannot be reached is an answer, not an error: 200, with its evidence.</li>
    <li>All texts are plain text, and some quote what a stranger sent. Escape them like any other input.</li>
  </ul>`

function refusals(document: ApiDocument): Markup {
  const { Refusal = {}, ProblemDetails = {} } = document.components?.schemas ?? {}
  const codes = (Refusal.properties?.["error"]?.properties?.["code"]?.enum ?? []) as ProblemCode[]
  return html`
    <p>Every refusal has a code from this list, a message for people, and the request's id. A refusal costs nothing.</p>
    <div class="pair">
      ${sample("body", "Refusal", jsonMarkup(exampleValue(document, Refusal)), html`<code>application/json</code>`)}
      ${sample(
        "body",
        "Refusal as problem details",
        jsonMarkup(exampleValue(document, ProblemDetails)),
        html`<code>application/problem+json</code>`,
      )}
    </div>
    <p>The second form is RFC 9457's, for clients whose <code>Accept</code> names it.</p>
    ${table(
      "All refusal codes",
      ["Status", "Code", "Meaning"],
      codes.map((code) => {
        const { status, title } = PROBLEMS[code]
        return html`<tr><td>${statusBadge(String(status))}</td><td><code>${code}</code></td><td>${title}</td></tr>`
      }),
    )}`
}

const CONVENTIONS = html`
  <ul>
    <li>HTTPS alone, HTTP/1.1 or HTTP/2. Plain HTTP leads to the same path over HTTPS with 308.</li>
    <li>Every answer has <code>x-request-id</code>. Quote it when you ask about a request.</li>
    <li>Answers to a key, and refusals, are <code>Cache-Control: private, no-store</code>.</li>
    <li>Times are RFC 3339 in UTC with milliseconds. Ids say what they name and sort by time: <code>req_…</code>, <code>key_…</code>.</li>
    <li>A query parameter that the operation does not know, or that is given twice, is refused by name.</li>
    <li>After 429 and 503, wait for as long as <code>Retry-After</code> says.</li>
  </ul>`

const OWNERS = html`
  <p>Visits whose User-Agent begins with <code>ZygenTrust/</code> come from a server like this one, because one of its users asked whether your domain can be trusted. If its address led you here, it was this one.</p>
  <h3>What it looks at</h3>
  <ul>
    <li>DNS records of the domain, its registration data (RDAP), and the certificate on port 443.</li>
    <li>The home page, and a fixed set of pages beside it: privacy, terms, contact, about and imprint, <code>robots.txt</code>, <code>security.txt</code> and the MTA-STS policy.</li>
    <li>Ports 80 and 443 only, without cookies, credentials or forms. It does not crawl.</li>
    <li>What it saw is used again for a day at most, for the user who asked, and stays in the database of this server; a domain is visited a few times a minute at most, however many ask.</li>
  </ul>
  <h3>If a verdict is wrong</h3>
  <p>A verdict goes to the user who asked; this server publishes none. It lists every signal it rests on and the points of each, so ask for the ones you doubt. When what was seen has changed, the same question with <code>fresh=true</code> looks again. For anything else, write to whoever runs this server.</p>
  <h3>If you do not want visits</h3>
  <p>Refuse the User-Agent. What cannot be seen counts as unknown: it lowers the confidence of a verdict, not its score.</p>`
