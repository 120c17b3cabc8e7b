/**
 * What becomes of a key: renamed, bound, disabled, enabled, ended.
 *
 * Owns: the changes and their audit entries, one each, in the change's transaction. Not: new keys
 * (keys.ts, own.ts), rotation (rotate.ts), whether a request's key is good (admission/).
 * Invariant: a change holds from its commit, on every instance, since nobody remembers a key. What
 * has ended stays ended.
 */

import type { AuditAction } from "../audit/append.ts"
import { append } from "../audit/append.ts"
import type { Id } from "../core/ids.ts"
import { encodeId } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Environment, Tx } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import type { Keyring } from "../secrets/keyring.ts"
import { checkCount, keysOf, readingAddresses } from "./make.ts"
import type { KeyRow } from "./row.ts"
import { checkName, keyColumns, keyName, lockKey, stateOf } from "./row.ts"
import { scopeBits } from "./scopes.ts"

/** Who changes a key, and which it can find. */
export interface Author {
  /** As in audit entries: a key's id, or an operator's. */
  readonly actor: string
  readonly environments: readonly Environment[]
}

/** @returns An operator, who finds every key. */
export function operator(actor: string): Author {
  return { actor, environments: ["live", "test"] }
}

/** @throws Problem `NOT_FOUND`, `CONFLICT` for a key that has ended, `INVALID_REQUEST`. */
export async function renameKey(
  tx: Tx,
  keyring: Keyring,
  author: Author,
  id: string,
  name: string,
): Promise<KeyRow> {
  checkName("name", name)
  const row = await lockLiving(tx, author, id)
  const keys = await keysOf(tx, keyring, row.tenant_id)
  const sealed = keys.seal(keyName(row.environment, row.tenant_id, row.id), name)
  return change(tx, author, row, "key.renamed", "sealed_name = $3", [sealed])
}

/** @throws Problem `NOT_FOUND`, `CONFLICT` for a key that has ended, `INVALID_REQUEST`. */
export async function setScopes(
  tx: Tx,
  author: Author,
  id: string,
  scopes: readonly string[],
): Promise<KeyRow> {
  const bits = scopeBits(scopes)
  const row = await lockLiving(tx, author, id)
  return change(tx, author, row, "key.scopes_changed", "scopes = $3", [bits], {
    scopes: scopes.join(" "),
  })
}

/**
 * @param addresses - Addresses and networks; null for any.
 * @throws Problem `NOT_FOUND`, `CONFLICT` for a key that has ended, `INVALID_REQUEST`.
 */
export async function setAddresses(
  tx: Tx,
  author: Author,
  id: string,
  addresses: readonly string[] | null,
): Promise<KeyRow> {
  checkCount(addresses)
  const row = await lockLiving(tx, author, id)
  const set = "addresses = $3::text[]::cidr[]"
  const count = { addresses: addresses?.length ?? null }
  return readingAddresses(change(tx, author, row, "key.addresses_changed", set, [addresses], count))
}

/** @throws Problem `NOT_FOUND`, `CONFLICT` for a key that has ended. */
export async function setExpiry(
  tx: Tx,
  author: Author,
  id: string,
  expiresAt: Date | null,
): Promise<KeyRow> {
  const row = await lockLiving(tx, author, id)
  const expires_at = expiresAt?.toISOString() ?? null
  return change(tx, author, row, "key.expiry_changed", "expires_at = $3", [expiresAt], {
    expires_at,
  })
}

/** Until it is enabled; again is harmless. @throws Problem `NOT_FOUND`, `CONFLICT`. */
export async function disableKey(tx: Tx, author: Author, id: string): Promise<KeyRow> {
  const row = await lockLiving(tx, author, id)
  // What an operator disables, no key enables, whoever disabled it before.
  const isTaken = row.disabled_at !== null && (isKey(author.actor) || !isKey(row.disabled_by))
  if (isTaken) return row
  const set = "disabled_at = coalesce(disabled_at, clock_timestamp()), disabled_by = $3"
  return change(tx, author, row, "key.disabled", set, [author.actor])
}

/**
 * Again is harmless.
 * @throws Problem `NOT_FOUND`, `CONFLICT` for a key that has ended, or one that an operator disabled
 *   and a key would enable.
 */
export async function enableKey(tx: Tx, author: Author, id: string): Promise<KeyRow> {
  const row = await lockLiving(tx, author, id)
  if (row.disabled_at === null) return row
  if (isKey(author.actor) && !isKey(row.disabled_by)) {
    const message = "That key was disabled by the operator of this deployment, who can enable it."
    throw new Problem("CONFLICT", { message })
  }
  return change(tx, author, row, "key.enabled", "disabled_at = null, disabled_by = null", [])
}

/** A key's end, and which keys it had issued that go on without it. */
export interface RevokedKey {
  readonly id: Id<"key">
  readonly revoked_at: string
  readonly issued: readonly Id<"key">[]
}

/** Revokes for good; again is harmless. @throws Problem `NOT_FOUND`. */
export async function revokeKey(tx: Tx, author: Author, key: string): Promise<RevokedKey> {
  let row = await lockKey(tx, key, author.environments)
  if (row.revoked_at === null) {
    row = await change(tx, author, row, "key.revoked", "revoked_at = clock_timestamp()", [])
  }
  const id = encodeId("key", row.id)
  const issued = await tx.query<{ id: string }>(
    `select id from ${SCHEMAS[row.environment]}.api_key
      where tenant_id = $1 and issued_by = $2 and revoked_at is null
        and (expires_at is null or expires_at > clock_timestamp())
      order by id`,
    [row.tenant_id, id],
  )
  return {
    id,
    revoked_at: row.revoked_at?.toISOString() ?? "",
    issued: issued.map((each) => encodeId("key", each.id)),
  }
}

/** @throws Problem `NOT_FOUND`, `CONFLICT` for a key that was revoked or has expired. */
export async function lockLiving(tx: Tx, author: Author, id: string): Promise<KeyRow> {
  const row = await lockKey(tx, id, author.environments)
  const state = stateOf(row)
  if (state === "revoked" || row.expired) {
    const what = state === "revoked" ? "was revoked for good" : "has expired"
    throw new Problem("CONFLICT", { message: `The key ${id} ${what}: issue another.` })
  }
  return row
}

/** @param set - With the values from `$3` on. */
export async function change(
  tx: Tx,
  author: Author,
  row: KeyRow,
  action: AuditAction,
  set: string,
  values: readonly unknown[],
  details: Readonly<Record<string, string | number | null>> = {},
): Promise<KeyRow> {
  const [changed] = await tx.query<KeyRow>(
    `update ${SCHEMAS[row.environment]}.api_key set ${set} where tenant_id = $1 and id = $2
      returning ${keyColumns(row.environment)}`,
    [row.tenant_id, row.id, ...values],
  )
  if (changed === undefined) throw new Problem("NOT_FOUND")
  const subject = encodeId("key", row.id)
  await append(tx, { actor: author.actor, action, tenantId: row.tenant_id, subject, details })
  return changed
}

function isKey(actor: string | null): boolean {
  return actor?.startsWith("key_") ?? false
}
