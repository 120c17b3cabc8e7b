/** A schema as a list of fields that a person reads from top to bottom, deeper ones folded. */
import { html } from "hono/html"
import type { ApiDocument, Schema } from "./reference-document.ts"
import { resolved } from "./reference-document.ts"
import type { Markup } from "./reference-text.ts"
import { inline, prose } from "./reference-text.ts"

/** @returns The fields of a body; nothing where it has no named ones. */
export function bodyFields(document: ApiDocument, schema: Schema): Markup | undefined {
  const fields = fieldsOf(document, schema)
  return fields && fieldList(document, fields)
}

/** @param presence - Where it may be left out, or must not be. */
export function field(
  document: ApiDocument,
  name: string,
  reference: Schema,
  presence?: "required" | "optional",
): Markup {
  const schema = resolved(document, reference)
  const description = reference.description ?? schema.description
  const values = scalar(schema).enum?.filter((value) => value !== null)
  const children = fieldsOf(document, schema)
  return html`<li>
    <div class="field-head">
      <code class="field-name">${name}</code>
      <span class="type">${typeText(document, schema)}</span>
      ${presence && html`<span class="presence ${presence}">${presence}</span>`}
    </div>
    ${description && prose(description)}
    ${
      values &&
      html`<p class="values"><span>One of</span> ${values.map((value) => html`<code>${String(value)}</code> `)}</p>`
    }
    ${
      children &&
      html`<details><summary>${Object.keys(children.properties).length} fields<span class="visually-hidden"> of ${name}</span></summary>
      ${fieldList(document, children)}</details>`
    }
  </li>`
}

interface Fields {
  readonly properties: Readonly<Record<string, Schema>>
  readonly required: readonly string[]
}

function fieldList(document: ApiDocument, { properties, required }: Fields): Markup {
  return html`<ul class="fields">${Object.entries(properties).map(([name, part]) =>
    field(document, name, part, required.includes(name) ? undefined : "optional"),
  )}</ul>`
}

/** The named fields of an object, of a list's items, or of a map's values. */
function fieldsOf(document: ApiDocument, reference: Schema): Fields | undefined {
  const { properties, required = [], items, additionalProperties } = resolved(document, reference)
  if (properties !== undefined) return { properties, required }
  if (items !== undefined) return fieldsOf(document, items)
  if (typeof additionalProperties === "object") return fieldsOf(document, additionalProperties)
  return undefined
}

/** @returns The kind of a value in words: "integer, 0 to 100", "list of objects". */
function typeText(document: ApiDocument, reference: Schema): Markup | string {
  const schema = resolved(document, reference)
  const { anyOf, items, additionalProperties, minimum, maximum, format } = schema
  if (anyOf !== undefined) {
    return html`${anyOf.map((part, i) => html`${i > 0 && " or "}${alternative(document, part)}`)}`
  }
  if (items !== undefined) return html`list of ${several(typeText(document, items))}`
  if (typeof additionalProperties === "object" && Object.keys(additionalProperties).length > 0) {
    return html`map of ${several(typeText(document, additionalProperties))}`
  }
  if (format === "date-time") return "time"
  if (format === "date") return "date"
  const type = [schema.type ?? "any"].flat().join(" or ")
  if (minimum === undefined) return type
  return maximum === undefined ? `${type}, ${minimum} or more` : `${type}, ${minimum} to ${maximum}`
}

function several(type: Markup | string): Markup | string {
  return typeof type === "string" && /^[a-z]+$/.test(type) ? `${type}s` : type
}

/** One of several: a single value stands for itself. */
function alternative(document: ApiDocument, schema: Schema): Markup | string {
  return schema.enum?.length === 1
    ? inline(`\`${JSON.stringify(schema.enum[0])}\``)
    : typeText(document, schema)
}

/** What a list holds, where that has no fields of its own. */
function scalar(schema: Schema): Schema {
  return schema.items ?? schema
}
