/** Every signal with what it is worth: the engine's own tables, group by group. */
import { html } from "hono/html"
import type { Signal } from "../engine/catalogue.ts"
import { CATALOGUE } from "../engine/catalogue.ts"
import { BASE, RULESET } from "../engine/points.ts"
import type { Category } from "../engine/types.ts"
import type { Markup } from "./reference-text.ts"
import { signed, table } from "./reference-text.ts"

const NAMES: Readonly<Record<Category, string>> = {
  dns: "DNS",
  email: "Email",
  tls: "TLS",
  http: "HTTP",
  content: "Content",
  registration: "Registration",
  identity: "Identity",
  lexical: "The name itself",
  reputation: "Reputation",
}

export function signals(): Markup {
  return html`
    <p>Ruleset <code>${RULESET}</code>. Every domain starts at ${BASE}; each signal adds its points when it is true, or when it is false. An unknown one adds none.</p>
    ${CATALOGUE.map(
      ({ category, signals }) => html`<details class="signals">
        <summary>${NAMES[category]} <span class="muted">${signals.length} signals</span></summary>
        ${table(`Signals: ${NAMES[category]}`, ["Signal", "True", "False"], signals.map(row))}
      </details>`,
    )}`
}

function row({ code, says, worth }: Signal): Markup {
  return html`<tr>
    <td class="named"><code>${code}</code> ${says.true}. <span class="muted">${worth?.because}</span></td>
    <td class="points">${signed(worth?.true ?? 0)}</td>
    <td class="points">${signed(worth?.false ?? 0)}</td>
  </tr>`
}
