/** How a score adds up, on one card: a sandbox name that has something for it and against it. */
import { html } from "hono/html"
import { exampleAnalysis } from "./example-analysis.ts"
import type { Markup } from "./reference-text.ts"
import { signed } from "./reference-text.ts"

const SHOWN = 5

export function scoreCard(): Markup {
  const { trust_score, base, risk_level, normalized_domain, insights } =
    exampleAnalysis("review.test")
  const moved = insights.filter(({ points }) => points !== 0)
  const counted = moved.filter(({ category }) => category !== "score")
  const bounds = moved.filter(({ category }) => category === "score")
  const rest = counted.slice(SHOWN)
  const row = (title: string, points: number) =>
    html`<tr><th scope="row">${title}</th><td>${signed(points)}</td></tr>`
  return html`<figure class="score risk-${risk_level}">
    <figcaption><code>${normalized_domain}</code> <span>${risk_level} risk</span></figcaption>
    <p class="score-sum"><strong>${trust_score}</strong> of 100</p>
    <svg viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="3"/><rect class="fill" width="${trust_score}" height="3"/></svg>
    <table>
      <caption class="visually-hidden">How this score adds up</caption>
      <tbody>
        <tr><th scope="row">Every domain starts at</th><td>${base}</td></tr>
        ${counted.slice(0, SHOWN).map(({ title, points }) => row(withoutDetail(title), points))}
        ${
          rest.length > 0 &&
          row(
            `${rest.length} more`,
            rest.reduce((sum, { points }) => sum + points, 0),
          )
        }
        ${bounds.map(({ title, points }) => row(title, points))}
      </tbody>
      <tfoot><tr><th scope="row">Score</th><td>${trust_score}</td></tr></tfoot>
    </table>
  </figure>`
}

/** A title ends in what was seen, after a colon. */
function withoutDetail(title: string): string {
  return title.split(": ", 1)[0] ?? title
}
