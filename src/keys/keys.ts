/**
 * API keys: issue, list, revoke, by an operator.
 *
 * Owns: the rows and their audit entries. Not: whether a request's key is good (admission/).
 * Invariants (K2, K3): the database gets index and digest; the key itself is returned once, at
 * issue, and kept nowhere. Names are sealed.
 */
import { userInfo } from "node:os"
import { append } from "../audit/append.ts"
import type { Id } from "../core/ids.ts"
import { decodeId, encodeId, newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Environment, Tx } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import type { SealedTable } from "../db/reseal.ts"
import { tenantSeed } from "../db/tenant-seed.ts"
import type { Keyring } from "../secrets/keyring.ts"
import type { Place } from "../secrets/sealing.ts"
import { generateKey, readKey } from "./format.ts"
import { ERASED, ensureTenant, tenantIndexes, tenantName } from "./tenants.ts"

export interface IssueOptions {
  /** Name of the tenant; made if there is none. */
  readonly tenant: string
  /** Of a tenant that is made now; by default `unlimited`. One that is there keeps its own. */
  readonly plan?: string
  readonly environment: Environment
  readonly name: string
  readonly expiresAt?: Date
  /** Who acts, for the audit entry. */
  readonly actor: string
}

/** A key at the only moment at which it is whole. Times are RFC 3339 in UTC. */
export interface IssuedKey {
  readonly id: Id<"key">
  readonly key: string
  readonly tenant: string
  readonly environment: Environment
  readonly name: string
  readonly expires_at: string | null
}

/** A key as it can be shown ever after. */
export interface ListedKey extends Omit<IssuedKey, "key"> {
  /** Prefix and look-up index, to recognise it by. */
  readonly hint: string
  readonly created_at: string
  readonly revoked_at: string | null
}

/** @returns The actor of a command on this machine, for audit entries: the user's name or number. */
export function commandActor(): string {
  try {
    return `cli:${userInfo().username}`
  } catch {
    return `cli:${process.getuid?.()}` // in a container, a user may have no name
  }
}

/**
 * Issues a key.
 * @throws Problem `INVALID_REQUEST` for a name that is empty or over 80 characters, `CONFLICT` when
 *   the tenant has as many keys as its plan allows, or is on another plan than the one named.
 */
export async function issueKey(
  tx: Tx,
  keyring: Keyring,
  options: IssueOptions,
): Promise<IssuedKey> {
  checkName("tenant", options.tenant)
  checkName("name", options.name)
  const { plan } = options
  const tenant = await ensureTenant(tx, keyring, options.tenant, options.actor, plan)
  await checkPlan(tx, tenant.id, plan)
  const keys = await keyring.of(tenant.id, () => tenantSeed(tx, tenant.id))
  if (keys === undefined) {
    throw new Problem("GONE", { message: `The tenant '${options.tenant}' was erased.` })
  }
  const key = generateKey(options.environment)
  const parts = readKey(key)
  if (parts === undefined) throw new Problem("INTERNAL")
  const uuid = newUuid()
  const id = encodeId("key", uuid)
  const sealedName = keys.seal(keyName(options.environment, tenant.id, uuid), options.name)
  await tx.query(
    `insert into ${SCHEMAS[options.environment]}.api_key
        (tenant_id, id, sealed_name, index8, digest, expires_at)
      values ($1, $2, $3, $4, decode($5, 'hex'), $6)`,
    [tenant.id, uuid, sealedName, parts.index8, parts.digest, options.expiresAt ?? null],
  )
  await append(tx, {
    actor: options.actor,
    action: "key.issued",
    tenantId: tenant.id,
    subject: id,
    details: { environment: options.environment },
  })
  return {
    id,
    key,
    tenant: options.tenant,
    environment: options.environment,
    name: options.name,
    expires_at: options.expiresAt?.toISOString() ?? null,
  }
}

/** @returns Every key of every tenant, newest last; of one tenant when named. */
export async function listKeys(tx: Tx, keyring: Keyring, tenant?: string): Promise<ListedKey[]> {
  const rows = await tx.query<KeyRow>(
    `select k.*, t.sealed_name as sealed_tenant, s.seed from (
        select 'live' as environment, tenant_id, id, sealed_name, index8, created_at, expires_at,
            revoked_at
          from live.api_key
        union all
        select 'test', tenant_id, id, sealed_name, index8, created_at, expires_at, revoked_at
          from sandbox.api_key
      ) k
      join platform.tenant t on t.id = k.tenant_id
      left join platform.tenant_key s on s.tenant_id = t.id
      where $1::bytea[] is null or t.name_index = any ($1)
      order by k.created_at, k.id`,
    [tenant === undefined ? null : tenantIndexes(keyring, tenant)],
  )
  return rows.map((row) => {
    const { environment, tenant_id, id, seed } = row
    const keys = seed && keyring.keys(tenant_id, seed)
    return {
      id: encodeId("key", id),
      hint: `zt_${environment}_${row.index8}…`,
      tenant: keys?.open(tenantName(tenant_id), row.sealed_tenant) ?? ERASED,
      environment,
      name: keys?.open(keyName(environment, tenant_id, id), row.sealed_name) ?? ERASED,
      created_at: row.created_at.toISOString(),
      expires_at: row.expires_at?.toISOString() ?? null,
      revoked_at: row.revoked_at?.toISOString() ?? null,
    }
  })
}

/** Revokes for good; again is harmless. @throws Problem `NOT_FOUND`. */
export async function revokeKey(
  tx: Tx,
  id: string,
  actor: string,
): Promise<{ id: string; revoked_at: string }> {
  const uuid = decodeId("key", id)
  if (uuid === undefined) throw new Problem("NOT_FOUND", { message: `There is no key ${id}.` })
  for (const schema of Object.values(SCHEMAS)) {
    const [row] = await tx.query<{ tenant_id: string; revoked_at: Date }>(
      `update ${schema}.api_key set revoked_at = coalesce(revoked_at, clock_timestamp())
        where id = $1 returning tenant_id, revoked_at`,
      [uuid],
    )
    if (row !== undefined) {
      await append(tx, { actor, action: "key.revoked", tenantId: row.tenant_id, subject: id })
      return { id, revoked_at: row.revoked_at.toISOString() }
    }
  }
  throw new Problem("NOT_FOUND", { message: `There is no key ${id}.` })
}

/** The tenant's row is locked, so that two who issue at once are counted one after the other. */
async function checkPlan(tx: Tx, tenantId: string, wanted: string | undefined): Promise<void> {
  const [tenant] = await tx.query<{ plan: string; max_keys: number | null }>(
    `select t.plan, p.max_keys from platform.tenant t join platform.plan p on p.name = t.plan
      where t.id = $1 for no key update of t`,
    [tenantId],
  )
  if (wanted !== undefined && tenant?.plan !== wanted) {
    throw new Problem("CONFLICT", {
      message: `That tenant is on the plan '${tenant?.plan}'; 'tenants plan ID ${wanted}' changes it.`,
    })
  }
  const max = tenant?.max_keys ?? null
  if (max === null) return
  const [keys] = await tx.query<{ count: number }>(
    `select (${Object.values(SCHEMAS)
      .map(
        (schema) => `(select count(*) from ${schema}.api_key
          where tenant_id = $1 and revoked_at is null)`,
      )
      .join(" + ")})::integer as count`,
    [tenantId],
  )
  if ((keys?.count ?? 0) < max) return
  throw new Problem("CONFLICT", {
    message: `That tenant has ${max} keys, as many as its plan '${tenant?.plan}' allows: revoke one first.`,
  })
}

/** What a rotation of the root key seals again. */
export const SEALED_KEYS: readonly SealedTable[] = Object.values(SCHEMAS).map((schema) => ({
  table: `${schema}.api_key`,
  column: "sealed_name",
  tenantColumn: "tenant_id",
}))

function keyName(environment: Environment, tenantId: string, rowId: string): Place {
  return { table: `${SCHEMAS[environment]}.api_key`, column: "sealed_name", tenantId, rowId }
}

function checkName(what: string, text: string): void {
  if (text.length < 1 || text.length > 80 || /\p{C}/u.test(text)) {
    const message = `The ${what} must have 1 to 80 characters, none of them invisible.`
    throw new Problem("INVALID_REQUEST", { message })
  }
}

interface KeyRow {
  environment: Environment
  tenant_id: string
  id: string
  sealed_tenant: Buffer
  sealed_name: Buffer
  seed: Buffer | null
  index8: string
  created_at: Date
  expires_at: Date | null
  revoked_at: Date | null
}
