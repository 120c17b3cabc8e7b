/**
 * API keys as an operator has them: issue, list, show.
 *
 * Owns: issuing, its audit entry, how many there may be. Not: what becomes of a key (life.ts), keys
 * that issue keys (own.ts), whether a request's key is good (admission/).
 */
import { userInfo } from "node:os"
import { append } from "../audit/append.ts"
import type { Id } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Environment, Tx } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import { tenantSeed } from "../db/tenant-seed.ts"
import type { Keyring } from "../secrets/keyring.ts"
import { insertKey, keysOf } from "./make.ts"
import type { KeyRow, ShownKey } from "./row.ts"
import { checkName, findKey, keyColumns, lastUse, shownKey } from "./row.ts"
import { DEFAULT_SCOPES, scopeBits } from "./scopes.ts"
import { ERASED, ensureTenant, tenantIndexes, tenantName } from "./tenants.ts"

export interface IssueOptions {
  /** Name of the tenant; made if there is none. */
  readonly tenant: string
  /** Of a tenant that is made now; by default `unlimited`. One that is there keeps its own. */
  readonly plan?: string
  readonly environment: Environment
  readonly name: string
  readonly expiresAt?: Date
  /** By default all that makes no other keys. */
  readonly scopes?: readonly string[]
  /** Addresses and networks that it may be used from; by default any. */
  readonly addresses?: readonly string[]
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

/** A key as an operator sees it: with whose it is. */
export interface ListedKey extends ShownKey {
  readonly tenant: string
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
 * @throws Problem `INVALID_REQUEST` for a name, scopes or addresses that are none, `CONFLICT` when
 *   the tenant has as many keys as its plan allows, or is on another plan than the one named.
 */
export async function issueKey(
  tx: Tx,
  keyring: Keyring,
  options: IssueOptions,
): Promise<IssuedKey> {
  const { plan, environment, name, actor } = options
  checkName("tenant", options.tenant)
  checkName("name", name)
  const scopes = scopeBits(options.scopes ?? DEFAULT_SCOPES)
  const tenant = await ensureTenant(tx, keyring, options.tenant, actor, plan)
  await checkPlan(tx, tenant.id, environment, plan)
  const { id, key } = await insertKey(tx, await keysOf(tx, keyring, tenant.id), {
    environment,
    tenantId: tenant.id,
    name,
    scopes,
    addresses: options.addresses ?? null,
    expiresAt: options.expiresAt ?? null,
    actor,
  })
  await append(tx, {
    actor,
    action: "key.issued",
    tenantId: tenant.id,
    subject: id,
    details: { environment },
  })
  return {
    id,
    key,
    tenant: options.tenant,
    environment,
    name,
    expires_at: options.expiresAt?.toISOString() ?? null,
  }
}

/** @returns Every key of every tenant, newest last; of one tenant when named. */
export async function listKeys(tx: Tx, keyring: Keyring, tenant?: string): Promise<ListedKey[]> {
  const rows = await tx.query<OwnedRow>(
    `select k.*, t.sealed_name as sealed_tenant, s.seed from (
        select ${keyColumns("live")} from live.api_key
        union all
        select ${keyColumns("test")} from sandbox.api_key
      ) k
      join platform.tenant t on t.id = k.tenant_id
      left join platform.tenant_key s on s.tenant_id = t.id
      where $1::bytea[] is null or t.name_index = any ($1)
      order by k.created_at, k.id`,
    [tenant === undefined ? null : tenantIndexes(keyring, tenant)],
  )
  return rows.map((row) => {
    const keys = row.seed === null ? undefined : keyring.keys(row.tenant_id, row.seed)
    return {
      ...shownKey(row, keys),
      tenant: keys?.open(tenantName(row.tenant_id), row.sealed_tenant) ?? ERASED,
    }
  })
}

/** @returns A key, with when it was last used, to the minute. @throws Problem `NOT_FOUND`. */
export async function showKey(
  tx: Tx,
  keyring: Keyring,
  id: string,
): Promise<ListedKey & { readonly last_used_at: string | null }> {
  const row = await findKey(tx, id, ["live", "test"])
  const [tenant] = await tx.query<{ sealed_name: Buffer }>(
    "select sealed_name from platform.tenant where id = $1",
    [row.tenant_id],
  )
  const seed = await tenantSeed(tx, row.tenant_id)
  const keys = seed && keyring.keys(row.tenant_id, seed)
  return {
    ...shownKey(row, keys),
    tenant: keys?.open(tenantName(row.tenant_id), tenant?.sealed_name ?? Buffer.of()) ?? ERASED,
    last_used_at: await lastUse(tx, row),
  }
}

/** The tenant's row is locked: a tenant's first keys have no others to be locked. */
async function checkPlan(
  tx: Tx,
  tenantId: string,
  environment: Environment,
  wanted: string | undefined,
): Promise<void> {
  const [tenant] = await tx.query<{ plan: string }>(
    "select plan from platform.tenant where id = $1 for no key update",
    [tenantId],
  )
  if (wanted !== undefined && tenant?.plan !== wanted) {
    throw new Problem("CONFLICT", {
      message: `That tenant is on the plan '${tenant?.plan}'; 'tenants plan ID ${wanted}' changes it.`,
    })
  }
  await checkRoom(tx, tenantId, environment)
}

/**
 * Is there room for one more key? The tenant's keys are locked, so that of two who issue at once the
 * second counts what the first made. Counted within an environment: no test key looks at a live row.
 * @throws Problem `CONFLICT` when there are as many as the plan allows.
 */
export async function checkRoom(tx: Tx, tenantId: string, environment: Environment): Promise<void> {
  const [plan] = await tx.query<{ name: string; max_keys: number | null }>(
    `select p.name, p.max_keys from platform.tenant t join platform.plan p on p.name = t.plan
      where t.id = $1`,
    [tenantId],
  )
  const max = plan?.max_keys ?? null
  if (max === null) return
  const living = `from ${SCHEMAS[environment]}.api_key where tenant_id = $1 and revoked_at is null`
  await tx.query(`select ${living} order by id for no key update`, [tenantId])
  const [keys] = await tx.query<{ count: number }>(
    `select count(*)::integer as count ${living} and replaced_by is null
        and (expires_at is null or expires_at > clock_timestamp())`,
    [tenantId],
  )
  if ((keys?.count ?? 0) < max) return
  throw new Problem("CONFLICT", {
    message: `There are ${max} ${environment} keys, as many as the plan '${plan?.name}' allows: revoke one first.`,
  })
}

interface OwnedRow extends KeyRow {
  readonly sealed_tenant: Buffer
  readonly seed: Buffer | null
}
