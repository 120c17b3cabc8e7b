/** A well-formed key that begins like another's. */
import { randomBytes } from "node:crypto"
import type { Environment } from "../../src/db/database.ts"
import { generateKey } from "../../src/keys/format.ts"

/** @returns A key with that look-up index, whose rest is new. */
export function keyWith(environment: Environment, index8: string): string {
  const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
  let drawn = 0
  return generateKey(environment, (size) => {
    const bytes = randomBytes(size).map((byte) => byte % 248)
    if (drawn === 0)
      for (const [i, letter] of [...index8].entries()) bytes[i] = letters.indexOf(letter)
    drawn++
    return bytes
  })
}
