/** Examples: a value out of a schema, and JSON as coloured text. */
import { html } from "hono/html"
import type { ApiDocument, MediaType, Schema } from "./reference-document.ts"
import { resolved } from "./reference-document.ts"
import type { Markup } from "./reference-text.ts"

/** An example answer, and what it is an example of. */
export interface Example {
  readonly title?: string
  readonly value: unknown
}

/** @returns The examples that the document gives, else one made from its schema's examples. */
export function exampleAnswers(document: ApiDocument, media: MediaType): [Example, ...Example[]] {
  const [first, ...more] = Object.entries(media.examples ?? {}).map(
    ([name, { summary, value }]) => ({ title: summary ? `${name}: ${summary}` : name, value }),
  )
  return first ? [first, ...more] : [{ value: exampleValue(document, media.schema ?? {}) }]
}

/** @returns A value that the schema describes: each part's example, or what follows from its type. */
export function exampleValue(document: ApiDocument, reference: Schema): unknown {
  if (reference.example !== undefined) return reference.example
  const schema = resolved(document, reference)
  if (schema.example !== undefined) return schema.example
  if (schema.enum !== undefined) return schema.enum[0]
  if (schema.properties !== undefined) {
    return Object.fromEntries(
      Object.entries(schema.properties)
        .filter(([name]) => schema.required?.includes(name))
        .map(([name, part]) => [name, exampleValue(document, part)]),
    )
  }
  if (schema.items !== undefined) return [exampleValue(document, schema.items)]
  if (typeof schema.additionalProperties === "object") {
    return { name: exampleValue(document, schema.additionalProperties) }
  }
  const [first] = schema.anyOf ?? []
  return first ? exampleValue(document, first) : {}
}

const TOKEN =
  /(?<string>"(?:[^"\\]|\\.)*")(?<colon>:)?|(?<literal>true|false|null)|(?<number>-?\d[\d.eE+-]*)/g

/** @returns The value as indented JSON, its parts marked by class. */
export function jsonMarkup(value: unknown): Markup {
  const text = JSON.stringify(value, null, 2)
  const parts: (string | Markup)[] = []
  let end = 0
  for (const { 0: token, index, groups } of text.matchAll(TOKEN)) {
    parts.push(text.slice(end, index))
    const { string, colon } = groups ?? {}
    if (string === undefined) parts.push(html`<span class="literal">${token}</span>`)
    else if (colon === undefined) parts.push(html`<span class="string">${string}</span>`)
    else parts.push(html`<span class="key">${string}</span>${colon}`)
    end = index + token.length
  }
  return html`${parts}${text.slice(end)}`
}
