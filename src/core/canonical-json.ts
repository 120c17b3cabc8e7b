/**
 * JSON Canonicalization Scheme (RFC 8785): the same value gives the same bytes anywhere.
 * ECMAScript's own number and string forms are the scheme's; only the member order is added.
 */

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined }

/**
 * @returns The canonical text. Members that are `undefined` are left out.
 * @throws TypeError for a number that JSON cannot hold, or a lone surrogate (RFC 8785 §3.2.2).
 */
export function canonicalJson(value: Json): string {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new TypeError(`${value} has no JSON form`)
  }
  if (typeof value === "string" && !value.isWellFormed()) {
    throw new TypeError("a lone surrogate has no canonical form")
  }
  if (value === null || typeof value !== "object") return JSON.stringify(value)
  if (isArray(value)) return `[${value.map(canonicalJson).join(",")}]`
  const members = Object.keys(value)
    .sort()
    .flatMap((key) => {
      const member = value[key]
      return member === undefined ? [] : [`${canonicalJson(key)}:${canonicalJson(member)}`]
    })
  return `{${members.join(",")}}`
}

function isArray(value: object): value is readonly Json[] {
  return Array.isArray(value)
}
