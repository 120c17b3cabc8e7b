/** One operation of the reference: what it does beside what it looks like. */
import { html } from "hono/html"
import type { Answer, ApiDocument, Endpoint, Schema } from "./reference-document.ts"
import { answers, refusals } from "./reference-document.ts"
import { exampleAnswers, exampleValue, jsonMarkup } from "./reference-example.ts"
import { bodyFields, field } from "./reference-schema.ts"
import type { Markup } from "./reference-text.ts"
import { inline, prose, sample, table } from "./reference-text.ts"

export function operationSection(document: ApiDocument, endpoint: Endpoint): Markup {
  const { operationId, method, path, summary = operationId, description = "" } = endpoint
  const given = answers(endpoint)
  return html`<article class="operation" id="${operationId}" aria-labelledby="${operationId}-title">
    <div class="about">
      <h3 id="${operationId}-title">${summary}</h3>
      <p class="endpoint"><span class="method">${method}</span> <code class="path">${path}</code></p>
      ${prose(description)}
      <p class="access">${needsKey(endpoint) ? html`Needs a <a href="#authentication">key</a>.` : "Open to all: no key."}</p>
      ${parameters(document, endpoint)}
      ${sentFields(document, endpoint)}
      ${answerFields(document, given)}
      ${refusalTable(endpoint)}
    </div>
    <div class="samples">
      ${sample("command", `Request: ${summary}`, curl(document, endpoint), html`Request <span class="muted">curl</span>`)}
      ${given.map((answer, i) => answerSamples(document, answer, i === 0))}
    </div>
  </article>`
}

/** @returns Whether the document's own security applies, which is a key. */
function needsKey({ security }: Endpoint): boolean {
  return security === undefined || security.length > 0
}

function parameters(document: ApiDocument, { parameters = [] }: Endpoint): Markup | undefined {
  if (parameters.length === 0) return undefined
  return html`<h4>Parameters</h4>
    <ul class="fields">${parameters.map(({ name, schema = {}, required, description = "" }) =>
      field(document, name, { ...schema, description }, required ? "required" : "optional"),
    )}</ul>`
}

function sentFields(document: ApiDocument, endpoint: Endpoint): Markup | undefined {
  const schema = sentSchema(endpoint)
  return (
    schema &&
    html`<h4>Body</h4>
    ${bodyFields(document, schema)}`
  )
}

function sentSchema({ requestBody }: Endpoint): Schema | undefined {
  return requestBody?.content["application/json"]?.schema
}

/** The fields of each answer; those of a schema that another has already shown are not repeated. */
function answerFields(
  document: ApiDocument,
  given: readonly (Answer & { status: string })[],
): Markup[] {
  const shown = new Map<string | undefined, string>()
  return given.map(({ status, description, content = {}, headers = {} }) => {
    const [{ schema = {} } = {}] = Object.values(content)
    const like = shown.get(schema.$ref)
    if (schema.$ref !== undefined) shown.set(schema.$ref, status)
    return html`<h4>Answer ${statusBadge(status)}</h4>
      <p>${inline(description)} Header: ${Object.keys(headers).map((name) => html`<code>${name}</code>`)}</p>
      ${like ? html`<p class="muted">Fields as in ${statusBadge(like)}.</p>` : bodyFields(document, schema)}`
  })
}

/** Each example of an answer; the first answer's first is open. */
function answerSamples(
  document: ApiDocument,
  { status, description, content = {} }: Answer & { status: string },
  open: boolean,
): Markup[] {
  const [media = {}] = Object.values(content)
  return exampleAnswers(document, media).map(({ title = description, value }, i) => {
    const label = `Answer ${status}: ${title}`
    const caption = html`Answer ${statusBadge(status)} <span class="muted">${title}</span>`
    const body = sample("body", label, jsonMarkup(value), caption)
    return open && i === 0
      ? body
      : html`<details class="more"><summary>Answer ${statusBadge(status)} ${title}</summary>${body}</details>`
  })
}

function refusalTable(endpoint: Endpoint): Markup | undefined {
  const codes = refusals(endpoint)
  if (codes.length === 0) return undefined
  const rows = codes.map(
    ({ code, status, meaning, headers }) => html`<tr>
      <td>${statusBadge(status)}</td>
      <td><code>${code}</code></td>
      <td>${meaning}${headers.map((name) => html` <span class="with">with <code>${name}</code></span>`)}</td>
    </tr>`,
  )
  return html`<details class="refusals"><summary>Refusals <span class="muted">${codes.length} codes</span></summary>
    ${table(`Refusals of ${endpoint.path}`, ["Status", "Code", "Meaning"], rows)}
  </details>`
}

export function statusBadge(status: string): Markup {
  return html`<span class="status status-${status.slice(0, 1)}">${status}</span>`
}

/** @returns A command that can be pasted once the quick start's two variables are set. */
function curl(document: ApiDocument, endpoint: Endpoint): string {
  const { method, parameters = [] } = endpoint
  const example = (schema: Schema) => String(exampleValue(document, schema))
  const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, wanted) =>
    example(parameters.find(({ name }) => name === wanted)?.schema ?? {}),
  )
  const sent = sentSchema(endpoint)
  const query = parameters
    .filter((parameter) => parameter.in === "query" && parameter.required)
    .map(({ name, schema = {} }) => `${name}=${encodeURIComponent(example(schema))}`)
  const address = `${document.servers?.[0]?.url ?? ""}${path}`
  return [
    'curl --cacert "$CA"',
    ...(method === "GET" ? [] : [`-X ${method}`]),
    ...(sent ? [`--json '${JSON.stringify(exampleValue(document, sent))}'`] : []),
    ...(needsKey(endpoint) ? ['-H "Authorization: Bearer $KEY"'] : []),
    `'${[address, ...(query.length > 0 ? [query.join("&")] : [])].join("?")}'`,
  ].join(" \\\n  ")
}
