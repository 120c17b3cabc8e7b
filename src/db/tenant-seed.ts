/**
 * A tenant's seed: 32 random bytes, part of every key that the tenant's data is sealed with
 * (secrets/keyring.ts).
 *
 * Owns: the row. Row security shows a tenant its own alone. Deleting it erases what the tenant gave
 * and asked, also from backups, which never hold it.
 */
import { randomBytes } from "node:crypto"
import type { Tx } from "./database.ts"

const SEED_BYTES = 32

/** @returns The seed, or undefined when it is not there (any more) or not this transaction's to see. */
export async function tenantSeed(tx: Tx, tenantId: string): Promise<Uint8Array | undefined> {
  const [row] = await tx.query<{ seed: Buffer }>(
    "select seed from platform.tenant_key where tenant_id = $1",
    [tenantId],
  )
  return row?.seed
}

export function newSeed(): Uint8Array {
  return randomBytes(SEED_BYTES)
}

/** Gives a new tenant its seed. As an operator. */
export async function saveTenantSeed(tx: Tx, tenantId: string, seed: Uint8Array): Promise<void> {
  await tx.query("insert into platform.tenant_key (tenant_id, seed) values ($1, $2)", [
    tenantId,
    seed,
  ])
}
