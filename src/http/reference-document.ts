/** The part of an OpenAPI 3.1 document that the reference page reads, and how to find things in it. */

export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly description?: string
  readonly example?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
}

export interface Parameter {
  readonly name: string
  readonly in: string
  readonly description?: string
  readonly required?: boolean
  readonly schema?: Schema
}

export interface Header {
  readonly description?: string
}

export interface MediaType {
  readonly schema?: Schema
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { summary?: string; value?: unknown }>>
}

export interface Answer {
  readonly description: string
  readonly headers?: Readonly<Record<string, Header>>
  readonly content?: Readonly<Record<string, MediaType>>
}

export interface Operation {
  readonly operationId?: string
  readonly tags?: readonly string[]
  readonly summary?: string
  readonly description?: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> }
  readonly responses?: Readonly<Record<string, Answer>>
  readonly security?: readonly unknown[]
}

export interface ApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly servers?: readonly { readonly url: string }[]
  readonly tags?: readonly { readonly name: string; readonly description?: string }[]
  readonly paths?: Readonly<Record<string, object>>
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> }
}

/** An operation with its place. */
export interface Endpoint extends Operation {
  /** Names it within the page, too. */
  readonly operationId: string
  /** Upper case. */
  readonly method: string
  readonly path: string
}

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"] as const

/** @returns Every operation, in the document's order. */
export function endpoints({ paths = {} }: ApiDocument): Endpoint[] {
  return Object.entries(paths).flatMap(([path, item]: [string, { [M in string]?: Operation }]) =>
    METHODS.flatMap((method) => {
      const operation = item[method]
      if (operation === undefined) return []
      const { operationId = `${method}${path.replaceAll(/\W+/g, "-")}` } = operation
      return { ...operation, operationId, method: method.toUpperCase(), path }
    }),
  )
}

/** Follows references into the document's schemas. @throws RangeError for one that leads nowhere. */
export function resolved(document: ApiDocument, schema: Schema): Schema {
  if (schema.$ref === undefined) return schema
  const name = schema.$ref.replace("#/components/schemas/", "")
  const target = document.components?.schemas?.[name]
  if (target === undefined) throw new RangeError(`${schema.$ref} is not in the document`)
  return resolved(document, target)
}

/** @returns The answers that are no refusals: those of 400 and above list a code each as examples. */
export function answers({ responses = {} }: Operation): (Answer & { status: string })[] {
  return Object.entries(responses)
    .filter(([, answer]) => refusalCodes(answer).length === 0)
    .map(([status, answer]) => ({ ...answer, status }))
}

export interface RefusalCode {
  readonly code: string
  readonly status: string
  readonly meaning: string
  /** Headers that not every answer has. */
  readonly headers: readonly string[]
}

/** @returns The codes that an operation can refuse with. */
export function refusals({ responses = {} }: Operation): RefusalCode[] {
  return Object.entries(responses).flatMap(([status, answer]) =>
    refusalCodes(answer).map(([code, { summary = "" }]) => ({
      code,
      status,
      meaning: summary,
      headers: Object.keys(answer.headers ?? {}).filter((name) => name !== "x-request-id"),
    })),
  )
}

function refusalCodes({ content }: Answer) {
  return content?.["application/problem+json"]
    ? Object.entries(content["application/json"]?.examples ?? {})
    : []
}
