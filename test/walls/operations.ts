/**
 * Every request that the contract allows for, from the OpenAPI document itself.
 *
 * Invariant: what a new route takes is filled in here, or making its requests throws.
 */

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly example?: unknown
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Schema>>
  /** Of a list. */
  readonly items?: Schema
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly example?: unknown
  readonly schema?: Schema
}

interface Operation {
  readonly parameters?: readonly Parameter[]
  readonly security?: readonly unknown[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema?: Schema }>> }
}

export interface Document {
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

export interface Request {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** A place of a request where an identifier can stand. */
export interface Slot {
  /** `GET /v1/usage, query month`. */
  readonly what: string
  /** @returns The request with a value in that place, all else as in its examples. */
  fill(value: string): Request
}

export interface Route {
  /** `GET /v1/usage`. */
  readonly name: string
  readonly needsKey: boolean
  /** With its examples alone. */
  readonly plain: Request
  readonly slots: readonly Slot[]
}

const METHODS = ["get", "post", "put", "patch", "delete"]
/** Where clients and proxies put identifiers, whether or not a route reads them. */
const HEADERS = ["x-tenant-id", "x-request-id", "if-none-match", "idempotency-key", "cookie"]
/** Names that lists tend to have; what is not in the contract is refused by name. */
const QUERIES = ["cursor", "tenant_id", "id"]

/**
 * @param own - What to put in parameters of these names, in place of their examples.
 * @throws Error for what cannot be filled in.
 */
export function routesOf(
  { paths, components }: Document,
  own: Readonly<Record<string, string>> = {},
): Route[] {
  const schemas = components?.schemas ?? {}
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]) => routeOf(method.toUpperCase(), path, operation, schemas, own)),
  )
}

function routeOf(
  method: string,
  path: string,
  operation: Operation,
  schemas: Readonly<Record<string, Schema>>,
  own: Readonly<Record<string, string>>,
): Route {
  const name = `${method} ${path}`
  const parameters = operation.parameters ?? []
  const { isList, body } = bodyOf(name, operation, schemas)
  const make = (values: ReadonlyMap<string, string>): Request => {
    const of = (kind: string) => parameters.filter((parameter) => parameter.in === kind)
    const value = (parameter: Parameter) =>
      values.get(`${parameter.in} ${parameter.name}`) ??
      (parameter.required ? (own[parameter.name] ?? exampleOf(name, parameter)) : undefined)
    let target = path
    for (const parameter of of("path")) {
      target = target.replace(`{${parameter.name}}`, encodeURIComponent(value(parameter) ?? ""))
    }
    const query = new URLSearchParams()
    for (const parameter of of("query")) {
      const text = value(parameter)
      if (text !== undefined) query.set(parameter.name, text)
    }
    for (const [key, text] of values) if (key.startsWith("more ")) query.set(key.slice(5), text)
    const headers: Record<string, string> = {}
    for (const parameter of of("header")) {
      const text = value(parameter)
      if (text !== undefined) headers[parameter.name] = text
    }
    for (const [key, text] of values) if (key.startsWith("header ")) headers[key.slice(7)] = text
    if (of("cookie").length > 0) throw new Error(`${name} takes a cookie: fill it in operations.ts`)
    target +=
      values.get("below") === undefined ? "" : `/${encodeURIComponent(values.get("below") ?? "")}`
    const search = query.size === 0 ? "" : `?${query}`
    if (body === undefined) return { method, path: target + search, headers }
    const filled = { ...body }
    for (const [key, text] of values) if (key.startsWith("body ")) filled[key.slice(5)] = text
    return {
      method,
      path: target + search,
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(isList ? [filled] : filled),
    }
  }
  const declared = new Set(parameters.map((parameter) => parameter.name.toLowerCase()))
  const places = new Set([
    ...parameters.map((parameter) => `${parameter.in} ${parameter.name}`),
    ...Object.keys(body ?? {}).map((property) => `body ${property}`),
    ...HEADERS.filter((header) => !declared.has(header)).map((header) => `header ${header}`),
    ...QUERIES.map((query) => `more ${query}`),
    "below",
  ])
  return {
    name,
    needsKey: operation.security?.length !== 0,
    plain: make(new Map()),
    slots: [...places].map((place) => ({
      what: `${name}, ${place}`,
      fill: (value) => make(new Map([[place, value]])),
    })),
  }
}

function exampleOf(name: string, { name: parameter, example, schema }: Parameter): string {
  const value = example ?? schema?.example ?? schema?.default ?? schema?.enum?.[0]
  if (value === undefined) throw new Error(`${name}: give the parameter '${parameter}' an example`)
  return String(value)
}

/** @returns The properties of a JSON body, or of the items of a list, with their examples. */
function bodyOf(
  name: string,
  { requestBody }: Operation,
  schemas: Readonly<Record<string, Schema>>,
): { readonly isList: boolean; readonly body: Record<string, unknown> | undefined } {
  if (requestBody === undefined) return { isList: false, body: undefined }
  const resolve = (schema: Schema | undefined) =>
    schemas[schema?.$ref?.replace("#/components/schemas/", "") ?? ""] ?? schema
  const schema = resolve(requestBody.content["application/json"]?.schema)
  const isList = schema?.items !== undefined
  const properties = (isList ? resolve(schema.items) : schema)?.properties
  if (properties === undefined) throw new Error(`${name} takes a body: fill it in operations.ts`)
  const body = Object.fromEntries(
    Object.entries(properties).map(([property, { example, default: usual }]) => {
      const value = example ?? usual
      if (value === undefined)
        throw new Error(`${name}: give the property '${property}' an example`)
      return [property, value]
    }),
  )
  return { isList, body }
}
