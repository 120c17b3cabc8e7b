/**
 * Tenants: made with their first key, listed and erased by an operator.
 *
 * Owns: the rows, the seeds' coming and going, their audit entries.
 * Invariants: a tenant's name is sealed, and found by a blind index of it. A tenant whose seed is
 * gone is erased: nothing it gave or asked opens any more, here or from a backup.
 */
import { randomBytes } from "node:crypto"
import { append } from "../audit/append.ts"
import type { Id } from "../core/ids.ts"
import { decodeId, encodeId, newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Tx } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import { sqlState } from "../db/errors.ts"
import type { SealedTable } from "../db/reseal.ts"
import { newSeed, saveTenantSeed } from "../db/tenant-seed.ts"
import type { Keyring } from "../secrets/keyring.ts"
import { INDEX_BYTES } from "../secrets/keyring.ts"
import type { Place } from "../secrets/sealing.ts"

/** A tenant as it is shown. Times are RFC 3339 in UTC. */
export interface ListedTenant {
  readonly id: Id<"ten">
  /** Null when the tenant was erased. */
  readonly name: string | null
  readonly plan: string
  readonly created_at: string
  /** Keys that are not revoked. */
  readonly keys: { readonly live: number; readonly test: number }
}

/** What a tenant is looked up by. */
const NAME = "platform.tenant.name"

/** Stands in for what an erased tenant had given. */
export const ERASED = "(erased)"

/** The built-in plan without quota or rate, for a deployment's own use. */
const DEFAULT_PLAN = "unlimited"
const FOREIGN_KEY = "23503"

/**
 * @param plan - Of a tenant that is made now; by default `unlimited`.
 * @returns The id of the tenant of that name, and whether it was made now.
 * @throws Problem `NOT_FOUND` for a plan that is not there.
 */
export async function ensureTenant(
  tx: Tx,
  keyring: Keyring,
  name: string,
  actor: string,
  plan: string = DEFAULT_PLAN,
): Promise<{ id: string; made: boolean }> {
  const indexes = tenantIndexes(keyring, name)
  const found = await findTenant(tx, indexes)
  if (found !== undefined) return { id: found, made: false }
  const id = newUuid()
  const seed = newSeed()
  const [made] = await tx
    .query(
      `insert into platform.tenant (id, name_index, sealed_name, plan) values ($1, $2, $3, $4)
        on conflict (name_index) do nothing returning id`,
      [id, indexes[0], keyring.keys(id, seed).seal(tenantName(id), name), plan],
    )
    .catch((error: unknown) => {
      if (sqlState(error) !== FOREIGN_KEY) throw error
      throw new Problem("NOT_FOUND", {
        message: `There is no plan '${plan}'; 'plans list' shows all.`,
      })
    })
  if (made === undefined) {
    const other = await findTenant(tx, indexes) // made by another a moment ago
    if (other === undefined) throw new Problem("DATABASE", { message: "the tenant is not visible" })
    return { id: other, made: false }
  }
  await saveTenantSeed(tx, id, seed)
  await append(tx, { actor, action: "tenant.created", tenantId: id, subject: encodeId("ten", id) })
  return { id, made: true }
}

/** @returns Every tenant, the newest last. */
export async function listTenants(tx: Tx, keyring: Keyring): Promise<ListedTenant[]> {
  const count = (schema: string) =>
    `(select count(*) from ${schema}.api_key k where k.tenant_id = t.id and revoked_at is null)::int`
  const rows = await tx.query<TenantRow>(
    `select t.id, t.sealed_name, t.plan, t.created_at, s.seed,
        ${count(SCHEMAS.live)} as live, ${count(SCHEMAS.test)} as test
      from platform.tenant t left join platform.tenant_key s on s.tenant_id = t.id
      order by t.created_at, t.id`,
  )
  return rows.map(({ id, sealed_name, plan, created_at, seed, live, test }) => ({
    id: encodeId("ten", id),
    name: seed === null ? null : keyring.keys(id, seed).open(tenantName(id), sealed_name),
    plan,
    created_at: created_at.toISOString(),
    keys: { live, test },
  }))
}

/**
 * Erases what a tenant gave and asked, for good: forgets its seed and revokes its keys. What stays
 * is sealed for ever, and usage rows, which hold nothing personal.
 * @throws Problem `NOT_FOUND`, or `GONE` for a tenant that was erased before.
 */
export async function eraseTenant(tx: Tx, id: string, actor: string): Promise<{ keys: number }> {
  const uuid = await tenantUuid(tx, id)
  const [seed] = await tx.query(
    "delete from platform.tenant_key where tenant_id = $1 returning tenant_id",
    [uuid],
  )
  if (seed === undefined)
    throw new Problem("GONE", { message: `The tenant ${id} was erased before.` })
  await tx.query("delete from platform.key_request where given_to = $1", [uuid])
  // The name is free again, and its blind index cannot be tried against guesses.
  await tx.query("update platform.tenant set name_index = $2 where id = $1", [
    uuid,
    randomBytes(INDEX_BYTES),
  ])
  await tx.query("delete from platform.contact where tenant_id = $1", [uuid])
  let keys = 0
  for (const schema of Object.values(SCHEMAS)) {
    const revoked = await tx.query(
      `update ${schema}.api_key set revoked_at = clock_timestamp()
        where tenant_id = $1 and revoked_at is null returning id`,
      [uuid],
    )
    keys += revoked.length
  }
  await append(tx, {
    actor,
    action: "tenant.erased",
    tenantId: uuid,
    subject: id,
    details: { keys },
  })
  return { keys }
}

/** @returns The UUID of a tenant that is there. @throws Problem `NOT_FOUND`. */
export async function tenantUuid(tx: Tx, id: string): Promise<string> {
  const uuid = decodeId("ten", id)
  const [tenant] = await tx.query("select from platform.tenant where id = $1", [uuid ?? null])
  if (uuid !== undefined && tenant !== undefined) return uuid
  throw new Problem("NOT_FOUND", { message: `There is no tenant ${id}.` })
}

/** @returns What a tenant's row is found by from its name, for each generation of the root key. */
export function tenantIndexes(keyring: Keyring, name: string): [Buffer, ...Buffer[]] {
  return keyring.deployment.indexes(NAME, name)
}

/** @returns Where a tenant's name lies sealed. */
export function tenantName(tenantId: string): Place {
  return { table: "platform.tenant", column: "sealed_name", tenantId, rowId: tenantId }
}

async function findTenant(tx: Tx, indexes: readonly Buffer[]): Promise<string | undefined> {
  const [row] = await tx.query<{ id: string }>(
    "select id from platform.tenant where name_index = any ($1)",
    [indexes],
  )
  return row?.id
}

/** What a rotation of the root key seals again. */
export const SEALED_TENANTS: SealedTable = {
  table: "platform.tenant",
  column: "sealed_name",
  tenantColumn: "id",
  index: { column: "name_index", what: NAME, by: "deployment", value: (name) => name },
}

interface TenantRow {
  id: string
  sealed_name: Buffer
  plan: string
  created_at: Date
  seed: Buffer | null
  live: number
  test: number
}
