/** The names that test keys can ask for, each with the answer that it gets from this version. */
import { html } from "hono/html"
import { PROBLEMS } from "../core/problem.ts"
import { normalizeName } from "../engine/name.ts"
import { sandboxBehaviour } from "../engine/sandbox.ts"
import { exampleAnalysis } from "./example-analysis.ts"
import { statusBadge } from "./reference-operation.ts"
import type { Markup } from "./reference-text.ts"
import { table } from "./reference-text.ts"

const NAMES: readonly (readonly [domain: string, standsFor: string])[] = [
  ["approve.test", "A site kept well for years."],
  ["review.test", "A site some months old that does little more than work."],
  ["reject.test", "A brand-new name beside a brand's, with nothing behind it."],
  ["unreachable.test", "Servers that do not answer: much is unknown."],
  ["expired-cert.test", "A certificate past its date."],
  ["parked.test", "A parked page."],
  ["look-alike.test", "A name that imitates a brand's."],
  ["new-domain.test", "All in order, but registered five days ago."],
  ["slow.test", "An answer that takes three seconds: try your time-outs."],
  ["rate-limited.test", "Too many requests, with Retry-After."],
  ["quota-exceeded.test", "A quota that is used up, with Retry-After."],
  ["error.test", "A fault on our side."],
]

export function sandbox(): Markup {
  return html`
    <p>With a <code>zt_test_</code> key the same API answers from fixed cases, without any network. Any other name gets a stable verdict derived from the name. <code>metadata.environment</code> is <code>test</code>.</p>
    ${table("Sandbox names", ["Domain", "Answer"], NAMES.map(row))}`
}

function row([domain, standsFor]: (typeof NAMES)[number]): Markup {
  return html`<tr>
    <td class="named"><code>${domain}</code> ${standsFor}</td>
    <td>${answerTo(domain)}</td>
  </tr>`
}

function answerTo(domain: string): Markup {
  const { problem } = sandboxBehaviour(normalizeName(domain))
  if (problem !== undefined) {
    return html`${statusBadge(String(PROBLEMS[problem].status))} <code>${problem}</code>`
  }
  const { trust_score, recommended_action } = exampleAnalysis(domain)
  return html`${statusBadge("200")} ${trust_score}, ${recommended_action}`
}
