/** Tenants for tests of the database alone: nobody opens their names. */
import { createHash } from "node:crypto"

interface Queries {
  query(text: string, values: unknown[]): Promise<unknown>
}

/** @param label - What the tenant is found by, see {@link labelIndex}. */
export async function insertTenant(tx: Queries, id: string, label: string = id): Promise<void> {
  await tx.query("insert into platform.tenant (id, name_index, sealed_name) values ($1, $2, '')", [
    id,
    labelIndex(label),
  ])
}

/** @returns Stands for the blind index of a name: 16 bytes. */
export function labelIndex(label: string): Buffer {
  return createHash("sha256").update(label).digest().subarray(0, 16)
}
