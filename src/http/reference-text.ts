/** Prose and code samples as HTML. All text is escaped; descriptions may hold `code` in backticks. */
import { html } from "hono/html"

/** HTML that needs no more escaping. */
export type Markup = ReturnType<typeof html>

/** @returns One run of text, its backticked parts as code. */
export function inline(text: string): Markup {
  const parts = text.split("`")
  return html`${parts.map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part))}`
}

/** @returns Paragraphs, divided at empty lines. */
export function prose(text: string): Markup {
  return html`${text.split(/\n\s*\n/).map((paragraph) => html`<p>${inline(paragraph)}</p>`)}`
}

/** A sample that scrolls by itself, so it takes the keyboard's focus; commands are wrapped. */
export function sample(
  kind: "command" | "body" | "headers",
  label: string,
  code: string | Markup,
  caption: Markup | string = label,
): Markup {
  return html`<figure class="sample ${kind}">
    <figcaption>${caption}</figcaption>
    <pre tabindex="0" role="group" aria-label="${label}"><code>${code}</code></pre>
  </figure>`
}

/** A table that scrolls by itself where the page is narrow. */
export function table(label: string, heads: readonly string[], rows: readonly Markup[]): Markup {
  return html`<div class="table" tabindex="0" role="group" aria-label="${label}">
    <table>
      <thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
      <tbody>${rows}</tbody>
    </table>
  </div>`
}

/** @returns Points with their sign, and a real minus. */
export function signed(points: number): string {
  if (points === 0) return "0"
  return points < 0 ? `−${-points}` : `+${points}`
}
