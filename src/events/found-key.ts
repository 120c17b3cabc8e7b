/** A well-formed key that somebody found or overheard; whether it exists, the database says. */
import type { Environment } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"

/** What a key says by itself (keys/format.ts). */
export interface FoundKey {
  readonly environment: Environment
  readonly index8: string
  /** SHA-256 of the key, hex. */
  readonly digest: string
}

/** @returns Schema, look-up indexes and digests (in step), of each environment with any. */
export function bySchema(keys: Iterable<FoundKey>): [string, string[], string[]][] {
  return [...Map.groupBy(keys, ({ environment }) => environment)].map(([environment, mine]) => [
    SCHEMAS[environment],
    mine.map(({ index8 }) => index8),
    mine.map(({ digest }) => digest),
  ])
}
