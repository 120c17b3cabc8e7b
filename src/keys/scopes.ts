/** What a key may be used for. Bits lie in the database: add, never reuse. */
import { Problem } from "../core/problem.ts"

export const SCOPES = {
  analyze: 1,
  "usage:read": 2,
  "keys:write": 4,
} as const

export type Scope = keyof typeof SCOPES

export const SCOPE_NAMES = Object.keys(SCOPES) as [Scope, ...Scope[]]

/** Of a key that is issued without any being named: all that makes no other keys. */
export const DEFAULT_SCOPES: readonly Scope[] = ["analyze", "usage:read"]

/** @returns The scopes of a row's bits, in the order of the list. */
export function scopesOf(bits: number): Scope[] {
  return SCOPE_NAMES.filter((name) => (bits & SCOPES[name]) !== 0)
}

/** @returns The bits of scopes. @throws Problem `INVALID_REQUEST` that names what is no scope. */
export function scopeBits(names: readonly string[]): number {
  let bits = 0
  for (const name of names) {
    if (!Object.hasOwn(SCOPES, name)) {
      const message = `There is no scope '${name}'; a key has some of: ${SCOPE_NAMES.join(", ")}.`
      throw new Problem("INVALID_REQUEST", { message })
    }
    bits |= SCOPES[name as Scope]
  }
  if (bits === 0) throw new Problem("INVALID_REQUEST", { message: "A key needs a scope." })
  return bits
}
