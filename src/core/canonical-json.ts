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
 * @param value - JSON data: what {@link Json} describes, also where an interface types it.
 * @returns The canonical text. Members that are `undefined` are left out.
 * @throws TypeError for a number that JSON cannot hold, or a lone surrogate (RFC 8785 §3.2.2).
 */
export function canonicalJson(value: Json | object): string {
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new TypeError("a lone surrogate has no canonical form")
    return JSON.stringify(value)
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new TypeError(`${value} has no JSON form`)
  }
  if (value === null || typeof value !== "object") return JSON.stringify(value)
  // Text is added up, not joined: half of a verdict's time went into arrays of parts.
  let text = ""
  if (Array.isArray(value)) {
    for (const item of value) text += `,${canonicalJson(item)}`
    return `[${text.slice(1)}]`
  }
  const members = value as { readonly [key: string]: Json | undefined }
  for (const key of Object.keys(members).sort()) {
    const member = members[key]
    if (member !== undefined) text += `,${canonicalJson(key)}:${canonicalJson(member)}`
  }
  return `{${text.slice(1)}}`
}
