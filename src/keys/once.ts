/**
 * `Idempotency-Key`: of requests that make a key, one with the same header and the same content makes
 * none, and is told of the first one's.
 *
 * Invariant: remembered in the transaction that makes the key, by digests and the key's id alone, so
 * that a stored answer holds no secret and no name. Forgotten after a day.
 */
import { Problem } from "../core/problem.ts"
import type { Tx } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import type { Own } from "./own.ts"

export interface Attempt {
  /** SHA-256 of the header. */
  readonly header: Buffer
  /** SHA-256 of method, target and content. */
  readonly request: Buffer
}

/**
 * Waits for another attempt that is under way.
 * @param uuid - Of the key that is to be made.
 * @returns The key that the first attempt made; undefined: this is the first.
 * @throws Problem `IDEMPOTENCY_MISMATCH` when the header came with other content before.
 */
export async function madeBefore(
  tx: Tx,
  { environment, tenantId, keyId }: Own,
  { header, request }: Attempt,
  uuid: string,
): Promise<string | undefined> {
  const table = `${SCHEMAS[environment]}.idempotency`
  await tx.query(
    `delete from ${table} where created_at < clock_timestamp() - interval '1 day'
      and tenant_id = $1`,
    [tenantId],
  )
  const [first] = await tx.query(
    `insert into ${table} (tenant_id, key_id, header_digest, request_digest, made)
      values ($1, $2, $3, $4, $5) on conflict do nothing returning made`,
    [tenantId, keyId, header, request, uuid],
  )
  if (first !== undefined) return undefined
  const [before] = await tx.query<{ request_digest: Buffer; made: string }>(
    `select request_digest, made from ${table}
      where tenant_id = $1 and key_id = $2 and header_digest = $3`,
    [tenantId, keyId, header],
  )
  if (before?.request_digest.equals(request)) return before.made
  throw new Problem("IDEMPOTENCY_MISMATCH")
}
