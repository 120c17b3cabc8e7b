/**
 * The pages at /request-a-key: a form, and that it came in. In the reference's style.
 *
 * Invariants: no script, no inline style, nothing from elsewhere; what was typed is escaped. Nothing on
 * them depends on who asks.
 */
import { readFileSync } from "node:fs"
import { html } from "hono/html"
import type { Problem } from "../core/problem.ts"
import type { OpenPlan } from "../keys/request.ts"
import type { Fields } from "./body.ts"
import { LENGTHS } from "./contract-requests.ts"
import type { Markup } from "./reference-text.ts"

/** `/request-a-key/style.css`, on top of the reference's. */
export const REQUEST_STYLE = readFileSync(new URL("./request.css", import.meta.url), "utf8")

export const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

/** @returns One sheet of paper with the house's head; `script` is the path of one. */
export function sheet(title: string, eyebrow: string, body: Markup, script?: string): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <meta name="robots" content="noindex">
  <title>${title} · ZygenTrust</title>
  <link rel="icon" type="image/svg+xml" href="/docs/icon.svg">
  <link rel="stylesheet" href="/docs/style.css">
  <link rel="stylesheet" href="/request-a-key/style.css">
  ${script === undefined ? "" : html`<script src="${script}" defer></script>`}
</head>
<body>
  <header class="bar">
    <a class="brand" href="/docs"><img src="/docs/icon.svg" alt="" width="24" height="24"> ZygenTrust</a>
    <a class="to-reference" href="/docs">API reference</a>
  </header>
  <main class="sheet" id="main">
    <p class="eyebrow">${eyebrow}</p>
    <h1>${title}</h1>
    ${body}
  </main>
</body>
</html>
`
  // A template is a promise only where a part of it is one, and here none is.
  return String(page)
}

/** @param fields - What was typed before. @param problem - What was wrong with it. */
export function requestPage(
  plans: readonly OpenPlan[],
  fields: Fields,
  problem: Problem | undefined,
): string {
  const wrong = problem?.details["field"]
  const input = (name: keyof typeof LENGTHS, label: string, hint: string, type = "text") => html`
    <div class="question">
      <label for="${name}">${label}</label>
      <p class="hint" id="${name}-hint">${wrong === name ? html`<strong class="wrong">${WRONG[name]}</strong>` : hint}</p>
      ${
        name === "purpose"
          ? html`<textarea id="${name}" name="${name}" rows="5" required maxlength="${LENGTHS[name]}" aria-describedby="${name}-hint"${state(wrong === name)}>${fields[name] ?? ""}</textarea>`
          : html`<input id="${name}" name="${name}" type="${type}" required maxlength="${LENGTHS[name]}" autocomplete="${COMPLETE[name]}" aria-describedby="${name}-hint"${state(wrong === name)} value="${fields[name] ?? ""}">`
      }
    </div>`
  return sheet(
    "Ask for an API key",
    "Access",
    html`
    <p class="lead">Tell us who you are and what the key is for. If it is granted, a link comes to your mail address. It shows the key once, to you alone.</p>
    ${problem === undefined ? "" : html`<p class="notice careful" role="alert">${wrong === undefined ? problem.message : "One answer is missing, or not what it should be."}</p>`}
    <form method="post" action="/request-a-key">
      ${input("name", "Your name", "As you would sign a letter.")}
      ${input("organisation", "Organisation", "The company or project that will use the key.")}
      ${input("contact", "Mail address", "Where the link goes. Use one that you read.", "email")}
      ${input("purpose", "What is it for?", "A few sentences: what you check, and about how often.")}
      ${planChoice(plans, fields["plan"])}
      <button type="submit">Send the request</button>
    </form>
    <p class="small">What you write is kept encrypted, is read by the operator of this server alone, and is erased 30 days after your request is settled, or after 90 if nobody settles it.</p>`,
  )
}

export function sentPage(): string {
  return sheet(
    "Your request came in",
    "Access",
    html`
    <p class="lead">If it is granted, a link comes to the address you gave. It works for 72 hours and shows the key once, so open it where you can keep the key.</p>
    <p>Nothing came? Look among unwanted mail first. The operator of this server can send another link at any time; asking here again does not make it faster.</p>
    <p>Until then, the <a href="/docs">API reference</a> shows what you can do with a key.</p>`,
  )
}

const COMPLETE = {
  name: "name",
  organisation: "organization",
  contact: "email",
  purpose: "off",
} as const

const WRONG: Readonly<Record<keyof typeof LENGTHS, string>> = {
  name: "Your name, in 80 characters at most.",
  organisation: "The organisation's name, in 60 characters at most.",
  contact: "One mail address like name@example.com, without accents.",
  purpose: "Some words, 1,000 characters at most.",
}

function state(isWrong: boolean): Markup | string {
  return isWrong ? html` aria-invalid="true"` : ""
}

function planChoice(plans: readonly OpenPlan[], chosen: string | undefined): Markup | string {
  if (plans.length === 0) return ""
  const choice = (value: string, label: string, says: string, checked: boolean) => html`
    <label class="choice"><input type="radio" name="plan" value="${value}"${checked ? html` checked` : ""}>
      <span><strong>${label}</strong> <span class="muted">${says}</span></span></label>`
  return html`<fieldset class="question">
    <legend>Plan</legend>
    <p class="hint">With one of these, the link comes at once. For anything else the operator decides.</p>
    ${plans.map((plan) => choice(plan.name, plan.name, describe(plan), plan.name === chosen))}
    ${choice("", "Let the operator decide", "for more than these", !plans.some(({ name }) => name === chosen))}
  </fieldset>`
}

function describe({ units_per_month: units, requests_per_second: rate }: OpenPlan): string {
  const month = units === null ? "any number of requests" : `${units.toLocaleString("en")} a month`
  return rate === null ? month : `${month}, ${rate.toLocaleString("en")} a second`
}
