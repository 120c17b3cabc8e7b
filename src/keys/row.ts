/**
 * A key as it lies in the database, and as it is shown: never whole, never its digest.
 *
 * Owns: the columns, the order of states, where the sealed name lies. Not: changing rows.
 * Trust: the transaction's role decides whose rows there are. An operator's sees every tenant's.
 */
import type { Id } from "../core/ids.ts"
import { decodeId, encodeId } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Environment, Tx } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import type { SealedTable } from "../db/reseal.ts"
import type { Keys } from "../secrets/keyring.ts"
import type { Place } from "../secrets/sealing.ts"
import type { Scope } from "./scopes.ts"
import { scopesOf } from "./scopes.ts"
import { ERASED } from "./tenants.ts"

/** Times are RFC 3339 in UTC. */
export interface ShownKey {
  readonly id: Id<"key">
  /** Prefix and look-up index, to recognise it by. */
  readonly hint: string
  readonly environment: Environment
  readonly name: string
  /** What stands in its way first, or good. */
  readonly state: "good" | "revoked" | "disabled" | "expired"
  readonly scopes: readonly Scope[]
  /** Networks it may be used from; null: any. */
  readonly addresses: readonly string[] | null
  readonly created_at: string
  readonly expires_at: string | null
  readonly disabled_at: string | null
  readonly revoked_at: string | null
  /** The key that took its place in a rotation. */
  readonly replaced_by: Id<"key"> | null
  /** Who issued it: a key, or an operator; null where it was not recorded. */
  readonly issued_by: string | null
}

export interface KeyRow {
  readonly environment: Environment
  readonly tenant_id: string
  readonly id: string
  readonly sealed_name: Buffer
  readonly index8: string
  readonly scopes: number
  readonly addresses: readonly string[] | null
  readonly created_at: Date
  readonly expires_at: Date | null
  readonly disabled_at: Date | null
  readonly disabled_by: string | null
  readonly revoked_at: Date | null
  readonly replaced_by: string | null
  readonly issued_by: string | null
  readonly requests_per_second: number | null
  readonly burst: number | null
  readonly expired: boolean
}

/** @returns A select list for {@link KeyRow}: the clock that judges is the database's. */
export function keyColumns(environment: Environment): string {
  return `'${environment}' as environment, tenant_id, id, sealed_name, index8, scopes,
    addresses::text[] as addresses, created_at, expires_at, disabled_at, disabled_by, revoked_at,
    replaced_by, issued_by, requests_per_second, burst,
    coalesce(expires_at <= clock_timestamp(), false) as expired`
}

/** @param keys - The tenant's; undefined when it was erased. */
export function shownKey(row: KeyRow, keys: Keys | undefined): ShownKey {
  const { environment, tenant_id, id } = row
  return {
    id: encodeId("key", id),
    hint: `zt_${environment}_${row.index8}…`,
    environment,
    name: keys?.open(keyName(environment, tenant_id, id), row.sealed_name) ?? ERASED,
    state: stateOf(row),
    scopes: scopesOf(row.scopes),
    addresses: row.addresses,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    disabled_at: row.disabled_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
    replaced_by: row.replaced_by === null ? null : encodeId("key", row.replaced_by),
    issued_by: row.issued_by,
  }
}

/** In the order in which admission tells them. */
export function stateOf(row: KeyRow): ShownKey["state"] {
  if (row.revoked_at !== null) return "revoked"
  if (row.disabled_at !== null) return "disabled"
  return row.expired ? "expired" : "good"
}

/**
 * @param environments - Where to look: a customer's role reaches its own alone.
 * @throws Problem `NOT_FOUND`, also for another tenant's key.
 */
export async function findKey(
  tx: Tx,
  id: string,
  environments: readonly Environment[],
): Promise<KeyRow> {
  const uuid = keyUuid(id)
  for (const environment of environments) {
    const [row] = await tx.query<KeyRow>(
      `select ${keyColumns(environment)} from ${SCHEMAS[environment]}.api_key where id = $1`,
      [uuid],
    )
    if (row !== undefined) return row
  }
  throw new Problem("NOT_FOUND", { message: `There is no key ${id}.` })
}

/**
 * Like {@link findKey}, and nobody else changes the row until the transaction ends. A customer's role
 * cannot lock a revoked one, which nobody changes any more.
 * @param strength - `share`: others may lock it so too.
 */
export async function lockKey(
  tx: Tx,
  id: string,
  environments: readonly Environment[],
  strength: "no key update" | "share" = "no key update",
): Promise<KeyRow> {
  const uuid = keyUuid(id)
  for (const environment of environments) {
    const table = `${SCHEMAS[environment]}.api_key`
    await tx.query(`select from ${table} where id = $1 for ${strength}`, [uuid])
  }
  return findKey(tx, id, environments)
}

/** @throws Problem `NOT_FOUND`. Not with the text itself: it can be anything. */
function keyUuid(id: string): string {
  const uuid = decodeId("key", id)
  if (uuid !== undefined) return uuid
  throw new Problem("NOT_FOUND", { message: "That is no key's id; one begins with 'key_'." })
}

/**
 * @returns When a key was last used, to the minute: as the maintenance noted it every few minutes, or
 *   by a usage row since.
 */
export async function lastUse(tx: Tx, row: KeyRow): Promise<string | null> {
  const schema = SCHEMAS[row.environment]
  const [noted] = await tx.query<{ at: Date | null; since: Date }>(
    `select greatest(used_to, closed_to) - interval '1 minute' as since,
        (select date_trunc('minute', at) from ${schema}.key_use
          where tenant_id = $1 and key_id = $2) as at
      from ${schema}.usage_progress`,
    [row.tenant_id, row.id],
  )
  await tx.query("set local plan_cache_mode = force_custom_plan") // looks at one partition, or two
  const [used] = await tx.query<{ at: Date }>(
    `select date_trunc('minute', at) as at from ${schema}.usage
      where tenant_id = $1 and key_id = $2 and at >= $3 order by usage.at desc limit 1`,
    [row.tenant_id, row.id, noted?.since],
  )
  return (used ?? noted)?.at?.toISOString() ?? null
}

/** What a rotation of the root key seals again. */
export const SEALED_KEYS: readonly SealedTable[] = Object.values(SCHEMAS).map((schema) => ({
  table: `${schema}.api_key`,
  column: "sealed_name",
  tenantColumn: "tenant_id",
}))

/** @returns Where a key's name lies sealed. */
export function keyName(environment: Environment, tenantId: string, rowId: string): Place {
  return { table: `${SCHEMAS[environment]}.api_key`, column: "sealed_name", tenantId, rowId }
}

/** @throws Problem `INVALID_REQUEST` for a name that is empty, over 80 characters, or invisible. */
export function checkName(what: string, text: string): void {
  if (text.length < 1 || text.length > 80 || /\p{C}/u.test(text)) {
    const message = `The ${what} must have 1 to 80 characters, none of them invisible.`
    throw new Problem("INVALID_REQUEST", { message })
  }
}
