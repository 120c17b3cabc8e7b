/**
 * The browsable reference at /docs: the OpenAPI document as one page, made on the server.
 *
 * Owns: the page's frame and navigation. Not: what it says of an operation (reference-operation.ts).
 * Invariant: no script, no inline style, nothing from elsewhere, so that the page works under
 * `default-src 'none'; style-src 'self'; img-src 'self'`.
 */
import { readFileSync } from "node:fs"
import { html } from "hono/html"
import type { ApiDocument, Endpoint } from "./reference-document.ts"
import { endpoints } from "./reference-document.ts"
import type { Guide } from "./reference-guides.ts"
import { closingGuides, openingGuides } from "./reference-guides.ts"
import { operationSection } from "./reference-operation.ts"
import { scoreCard } from "./reference-score.ts"
import type { Markup } from "./reference-text.ts"
import { prose } from "./reference-text.ts"

/** `/docs/style.css`. */
export const STYLE = readFileSync(new URL("./reference.css", import.meta.url), "utf8")

/** `/docs/icon.svg`. */
export const ICON = readFileSync(new URL("./reference-icon.svg", import.meta.url), "utf8")

interface Group {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly endpoints: readonly Endpoint[]
}

/** @returns The whole page. */
export function referencePage(document: ApiDocument): string {
  const { title, version, description = "" } = document.info
  const opening = openingGuides(document)
  const closing = closingGuides(document)
  const groups = byTag(document)
  const page = html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <meta name="description" content="Reference of the ${title} API.">
  <title>${title} API reference</title>
  <link rel="icon" type="image/svg+xml" href="/docs/icon.svg">
  <link rel="stylesheet" href="/docs/style.css">
</head>
<body>
  <a class="skip" href="#main">Skip to content</a>
  <header class="bar">
    <a class="brand" href="/docs"><img src="/docs/icon.svg" alt="" width="24" height="24"> ${title}</a>
    <span class="version">API ${version}</span>
    <a class="to-contents" href="#contents">Contents</a>
    <a class="machine" href="/v1/openapi.json">OpenAPI</a>
  </header>
  <div class="frame">
    <nav id="contents" aria-label="Contents">${contents(opening, groups, closing)}</nav>
    <main id="main" tabindex="-1">
      <section class="hero" id="about" aria-labelledby="about-title">
        <div>
          <p class="eyebrow">API reference</p>
          <h1 id="about-title">Can I trust this domain?</h1>
          ${prose(description)}
          <p class="facts">
            <span>Base address <code>${document.servers?.[0]?.url ?? ""}</code></span>
            <a href="/v1/openapi.json">OpenAPI document</a>
          </p>
        </div>
        ${scoreCard()}
      </section>
      ${opening.map(guideSection)}
      ${groups.map((group) => groupSection(document, group))}
      ${closing.map(guideSection)}
      <footer>
        <p>Made from <a href="/v1/openapi.json">/v1/openapi.json</a>, version ${version}. This page runs no script and loads nothing from elsewhere.</p>
      </footer>
    </main>
  </div>
</body>
</html>
`
  // A template is a promise only where a part of it is one, and here none is.
  return String(page)
}

function byTag(document: ApiDocument): Group[] {
  const all = endpoints(document)
  return (document.tags ?? []).flatMap(({ name, description = "" }) => {
    const tagged = all.filter(({ tags = [] }) => tags[0] === name)
    return tagged.length > 0
      ? { id: `tag-${name.toLowerCase()}`, name, description, endpoints: tagged }
      : []
  })
}

function contents(
  opening: readonly Guide[],
  groups: readonly Group[],
  closing: readonly Guide[],
): Markup {
  const guides = (list: readonly Guide[]) =>
    list.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)
  const operations = (list: readonly Endpoint[]) =>
    list.map(
      ({ operationId, method, path }) =>
        html`<li><a class="to-operation" href="#${operationId}"><span class="method">${method}</span> <code class="path">${path}</code></a></li>`,
    )
  const block = (title: Markup | string, items: readonly Markup[]) =>
    html`<div class="block"><p>${title}</p><ul>${items}</ul></div>`
  return html`
    ${block("Start", [html`<li><a href="#about">Overview</a></li>`, ...guides(opening)])}
    ${groups.map(({ id, name, endpoints }) => block(html`<a href="#${id}">${name}</a>`, operations(endpoints)))}
    ${block("More", guides(closing))}`
}

function guideSection({ id, title, body }: Guide): Markup {
  return html`<section class="guide" id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${body}
  </section>`
}

function groupSection(document: ApiDocument, { id, name, description, endpoints }: Group): Markup {
  return html`<section class="group" id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${name}</h2>
    ${prose(description)}
    ${endpoints.map((endpoint) => operationSection(document, endpoint))}
  </section>`
}
