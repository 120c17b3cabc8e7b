/** How a score adds up, on one card: the first example verdict of the document. */
import { html } from "hono/html"
import type { AnalysisBody } from "./contract.ts"
import { Analysis } from "./contract.ts"
import type { ApiDocument } from "./reference-document.ts"
import { answers, endpoints } from "./reference-document.ts"
import { exampleAnswers } from "./reference-example.ts"
import type { Markup } from "./reference-text.ts"
import { signed } from "./reference-text.ts"

const SHOWN = 5

/** @returns Nothing where the document has no verdict in it. */
export function scoreCard(document: ApiDocument): Markup | undefined {
  const analyze = endpoints(document).find(({ operationId }) => operationId === "analyzeDomain")
  const media = analyze && answers(analyze)[0]?.content?.["application/json"]
  const verdict = media && Analysis.safeParse(exampleAnswers(document, media)[0].value)
  return verdict?.success ? card(verdict.data) : undefined
}

function card(verdict: AnalysisBody): Markup {
  const { trust_score, base, risk_level, normalized_domain, insights } = verdict
  const moved = insights.filter(({ points }) => points !== 0)
  const counted = moved.filter(({ category }) => category !== "score")
  const bounds = moved.filter(({ category }) => category === "score")
  const rest = counted.slice(SHOWN)
  const row = (title: string, points: number) =>
    html`<tr><th scope="row">${title}</th><td>${signed(points)}</td></tr>`
  return html`<figure class="score">
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
