/**
 * Leaked keys: what a secret scanner's report does.
 *
 * Owns: the way into the database's `report_leaks`, which disables by the plan's rule, tells the owner
 * and writes the audit entry, in one transaction. Not: who may report (leak-partners.ts).
 * Invariant: a second report of a key changes nothing.
 */
import type { Database } from "../db/database.ts"
import type { FoundKey } from "./found-key.ts"
import { bySchema } from "./found-key.ts"

/**
 * @param partner - Who reports, by the name in the operator's file.
 * @returns How many keys exist and were not reported before.
 * @throws Problem `UNAVAILABLE`; what was done until then is, and a report again is harmless.
 */
export async function reportLeaks(
  database: Pick<Database, "callAside">,
  partner: string,
  keys: readonly FoundKey[],
): Promise<number> {
  let reported = 0
  for (const [schema, index8s, digests] of bySchema(keys)) {
    const [row] = await database.callAside<{ reported: number }>(
      `select ${schema}.report_leaks($1, $2, $3) as reported`,
      [index8s, digests, partner],
    )
    reported += row?.reported ?? 0
  }
  return reported
}
