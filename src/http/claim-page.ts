/**
 * The pages at /claim-a-key: a button for whoever has a link, the key, and why there is none.
 *
 * Invariants: the first page is the same for everybody and runs one script, which moves the token from
 * behind `#` into the form and out of the address; without it, the link is pasted. The others run none.
 * What is said to who has no good link does not tell what links there are.
 */
import { html } from "hono/html"
import type { Claim } from "../keys/claim.ts"
import { CLAIM_PATH } from "../keys/link.ts"
import { sample } from "./reference-text.ts"
import { sheet } from "./request-page.ts"

export const CLAIM_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

/** `/claim-a-key/script.js`. */
export const CLAIM_SCRIPT = `"use strict"
const form = document.querySelector("form")
let sent = false
function take() {
  const [token] = /zt_link_[0-9a-f]{64}/.exec(location.hash) ?? []
  if (token === undefined) return
  form.elements.token.value = token
  history.replaceState(null, "", location.pathname)
  document.body.classList.add("linked")
}
// A second press would leave the answer to the first, which alone has the key.
form.addEventListener("submit", (event) => {
  if (sent) event.preventDefault()
  sent = true
})
addEventListener("pageshow", () => { sent = false })
addEventListener("hashchange", take)
take()
`

export function claimPage(): string {
  return sheet(
    "Your API key",
    "One-time link",
    html`
    <p class="lead">The key is made when you press the button, and shown once. Have the place ready where you keep secrets.</p>
    <form method="post" action="${CLAIM_PATH}" autocomplete="off">
      <div class="question by-hand">
        <label for="token">Your link</label>
        <p class="hint" id="token-hint">Paste the whole link from the mail.</p>
        <input id="token" name="token" type="text" required maxlength="2000" autocomplete="off" autocapitalize="off" spellcheck="false" aria-describedby="token-hint">
      </div>
      <p class="notice good found">Your link is in place.</p>
      <button type="submit">Show the key</button>
    </form>
    <p class="small">A link works once, for 72 hours. Opening this page does not use it up.</p>`,
    `${CLAIM_PATH}/script.js`,
  )
}

type Made = Extract<Claim, { standing: "made" }>
type Refused = Exclude<Claim["standing"], "made"> | "unavailable"

/** @param origin - `https://host:port` of this deployment. */
export function keyPage({ id, key, environment }: Made, origin: string): string {
  return sheet(
    "Your API key",
    environment === "live" ? "Live key" : "Test key",
    html`
    <p class="lead">This is the only time it is shown. Copy it now, and keep it where secrets are kept.</p>
    <p class="secret"><code class="raw" id="key" tabindex="0" aria-label="The key">${key}</code></p>
    <p class="hint">One click selects it. Its name for everything else, and no secret, is <code>${id}</code>.</p>
    <h2>Try it</h2>
    ${sample(
      "command",
      "First request",
      `read -rs KEY      # paste the key, so that it is in no history

curl -H "Authorization: Bearer $KEY" \\
  '${origin}/v1/keys/me'`,
      "Shell",
    )}
    <p>All else is in the <a href="/docs">API reference</a>. If the key gets lost or into wrong hands, tell the operator of this server, who can end it at once.</p>`,
  )
}

const WORDS: Readonly<Record<Refused, { readonly title: string; readonly text: string }>> = {
  unknown: {
    title: "This link shows no key",
    text: "It is not whole, or a newer link took its place. Open the newest one that came, or paste it whole.",
  },
  expired: {
    title: "This link has expired",
    text: "Links work for 72 hours. The operator of this server can send you a new one.",
  },
  used: {
    title: "This link was used",
    text: "Its key was shown, once, and cannot be shown again. If that was not you, tell the operator of this server now: they can end that key and send you a new link. So they can if you lost it.",
  },
  full: {
    title: "There is no room for a key",
    text: "Your plan allows no further key at the moment. Tell the operator of this server; your link stays good until it expires.",
  },
  unavailable: {
    title: "Not at the moment",
    text: "The server cannot look at your link now. Open it again from the mail in a minute. Should it then say that it was used, tell the operator of this server, who can send you a new one.",
  },
}

/** What is refused, as HTTP says it. */
export const CLAIM_STATUS = {
  unknown: 404,
  expired: 410,
  used: 410,
  full: 409,
  unavailable: 503,
} as const

export function refusedPage(standing: Refused): string {
  const { title, text } = WORDS[standing]
  return sheet(
    title,
    "One-time link",
    html`
    <p class="lead">${text}</p>
    <p><a href="${CLAIM_PATH}">Try another link</a></p>`,
  )
}
