/**
 * Keys that manage their tenant's keys, in its own transaction (row security shows it no others).
 *
 * Owns: what a key may give and to whom. Not: whether its request was admitted (admission/).
 * Invariants: a key gives only subsets of itself (scopes, addresses, end, rate, environment), and
 * nothing once its own end is committed, since its row is locked before anything else is done.
 */
import { append } from "../audit/append.ts"
import type { Id } from "../core/ids.ts"
import { decodeId, encodeId } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Environment, Tx } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import type { Keyring } from "../secrets/keyring.ts"
import { checkRoom } from "./keys.ts"
import type { Author, RevokedKey } from "./life.ts"
import { disableKey, enableKey, renameKey, revokeKey } from "./life.ts"
import { checkCount, insertKey, keysOf, readingAddresses } from "./make.ts"
import type { RotatedKey } from "./rotate.ts"
import { rotateKey } from "./rotate.ts"
import type { KeyRow, ShownKey } from "./row.ts"
import { findKey, keyColumns, lastUse, lockKey, shownKey, stateOf } from "./row.ts"
import { DEFAULT_SCOPES, SCOPES, scopeBits } from "./scopes.ts"

/** The key that asks. */
export interface Own {
  readonly environment: Environment
  readonly tenantId: string
  /** UUID. */
  readonly keyId: string
}

/** What is not said is as the issuing key has it. */
export interface OwnRequest {
  readonly name: string
  readonly scopes?: readonly string[] | undefined
  readonly addresses?: readonly string[] | undefined
  readonly expires_at?: string | undefined
}

/** @returns The key that asks, as its owner sees it. */
export async function ownKey(tx: Tx, keyring: Keyring, own: Own): Promise<ShownKey> {
  return show(tx, keyring, await findKey(tx, encodeId("key", own.keyId), [own.environment]))
}

/** @throws Problem `NOT_FOUND`, also for another tenant's key. */
export async function ownersKey(
  tx: Tx,
  keyring: Keyring,
  own: Own,
  id: string,
): Promise<ShownKey & { readonly last_used_at: string | null }> {
  const row = await findKey(tx, id, [own.environment])
  return { ...(await show(tx, keyring, row)), last_used_at: await lastUse(tx, row) }
}

/** @returns The tenant's keys of the environment after one of them, in the order of their issue. */
export async function ownersKeys(
  tx: Tx,
  keyring: Keyring,
  own: Own,
  after: string,
  limit: number,
): Promise<ShownKey[]> {
  const rows = await tx.query<KeyRow>(
    `select ${keyColumns(own.environment)} from ${SCHEMAS[own.environment]}.api_key
      where id > $1 order by id limit $2`,
    [after, limit],
  )
  return Promise.all(rows.map((row) => show(tx, keyring, row)))
}

/**
 * @param uuid - Of the new key.
 * @throws Problem `INSUFFICIENT_SCOPE` for more than the issuing key has, `CONFLICT` when there are as
 *   many keys as the plan allows, `INVALID_REQUEST`.
 */
export async function issueOwn(
  tx: Tx,
  keyring: Keyring,
  own: Own,
  request: OwnRequest,
  uuid: string,
): Promise<ShownKey & { readonly key: string }> {
  const { environment, tenantId } = own
  await checkRoom(tx, tenantId, environment)
  const issuer = await lockSelf(tx, own)
  const wanted = {
    scopes: request.scopes ? scopeBits(request.scopes) : issuer.scopes & scopeBits(DEFAULT_SCOPES),
    addresses: request.addresses ?? issuer.addresses,
    expiresAt: request.expires_at === undefined ? issuer.expires_at : new Date(request.expires_at),
  }
  if (wanted.expiresAt !== null && !(wanted.expiresAt.getTime() > Date.now())) {
    throw new Problem("INVALID_REQUEST", { message: "'expires_at' is not a time to come." })
  }
  if (wanted.scopes === 0) throw new Problem("INVALID_REQUEST", { message: "Name its scopes." })
  await checkSubset(tx, issuer, wanted)
  const { key, id } = await insertKey(tx, await keysOf(tx, keyring, tenantId), {
    environment,
    tenantId,
    name: request.name,
    ...wanted,
    rate: { perSecond: issuer.requests_per_second, burst: issuer.burst },
    actor: actorOf(own),
    uuid,
  })
  await append(tx, {
    actor: actorOf(own),
    action: "key.issued",
    tenantId,
    subject: id,
    details: { environment },
  })
  return { ...(await show(tx, keyring, await findKey(tx, id, [environment]))), key }
}

/**
 * @param uuid - Of the new key.
 * @throws Problem as `rotateKey` does, and `INSUFFICIENT_SCOPE` for a key that has more than this one.
 */
export async function rotateOwn(
  tx: Tx,
  keyring: Keyring,
  own: Own,
  id: string,
  overlapSeconds: number,
  uuid: string,
): Promise<ShownKey & RotatedKey> {
  const issuer = await lockSelf(tx, own, id)
  const rotated = await rotateKey(tx, keyring, author(own), id, overlapSeconds, {
    uuid,
    async mayTake(old) {
      if (old.id === issuer.id) return
      const { scopes, addresses, expires_at: expiresAt, requests_per_second: rate } = old
      await checkSubset(tx, issuer, { scopes, addresses, expiresAt, rate })
    },
  })
  const row = await findKey(tx, rotated.id, [own.environment])
  return { ...(await show(tx, keyring, row)), ...rotated }
}

/** @returns What {@link issueOwn} or {@link rotateOwn} had answered, as it is now, without the key. */
export async function madeKey(
  tx: Tx,
  keyring: Keyring,
  own: Own,
  uuid: string,
): Promise<ShownKey & Partial<Omit<RotatedKey, "key">>> {
  const made = await show(tx, keyring, await findKey(tx, encodeId("key", uuid), [own.environment]))
  const [old] = await tx.query<{ id: string; ends_at: Date }>(
    `select id, least(revoked_at, expires_at) as ends_at from ${SCHEMAS[own.environment]}.api_key
      where replaced_by = $1`,
    [uuid],
  )
  if (old === undefined) return made
  const replaces = encodeId("key", old.id)
  return { ...made, replaces, old_key_ends_at: old.ends_at.toISOString() }
}

/** @throws Problem `NOT_FOUND`, `CONFLICT`, `INVALID_REQUEST`. */
export async function changeOwn(
  tx: Tx,
  keyring: Keyring,
  own: Own,
  id: string,
  what: "disable" | "enable" | { readonly name: string },
): Promise<ShownKey> {
  await lockSelf(tx, own, id)
  const row =
    what === "disable"
      ? await disableKey(tx, author(own), id)
      : what === "enable"
        ? await enableKey(tx, author(own), id)
        : await renameKey(tx, keyring, author(own), id, what.name)
  return show(tx, keyring, row)
}

/** @throws Problem `NOT_FOUND`. */
export async function revokeOwn(tx: Tx, own: Own, id: string): Promise<RevokedKey> {
  await lockSelf(tx, own, id)
  return revokeKey(tx, author(own), id)
}

/**
 * Locks the key that asks (shared: others may issue by it meanwhile, and nobody ends it) and the one it
 * asks about, in one order, so that two that end each other do not wait for each other.
 * @throws Problem as admission would have, had the request come now.
 */
async function lockSelf(tx: Tx, { environment, keyId }: Own, id?: string): Promise<KeyRow> {
  const other = id === undefined ? undefined : decodeId("key", id)
  const uuids = [keyId, ...(other === undefined ? [] : [other])].sort()
  for (const uuid of new Set(uuids)) {
    const strength = uuid === other ? "no key update" : "share"
    await lockKey(tx, encodeId("key", uuid), [environment], strength).catch(absent)
  }
  const row = await findKey(tx, encodeId("key", keyId), [environment])
  if (row.revoked_at !== null) throw new Problem("KEY_REVOKED")
  if (row.disabled_at !== null) throw new Problem("KEY_DISABLED")
  if (stateOf(row) === "expired") throw new Problem("KEY_EXPIRED")
  if ((row.scopes & SCOPES["keys:write"]) === 0) throw new Problem("INSUFFICIENT_SCOPE")
  return row
}

function absent(error: unknown): void {
  if (!(error instanceof Problem && error.code === "NOT_FOUND")) throw error
}

interface Bounds {
  readonly scopes: number
  readonly addresses: readonly string[] | null
  readonly expiresAt: Date | null
  readonly rate?: number | null
}

async function checkSubset(tx: Tx, issuer: KeyRow, wanted: Bounds): Promise<void> {
  checkCount(wanted.addresses)
  if ((wanted.scopes & ~issuer.scopes) !== 0) throw beyond("scopes")
  const { expires_at: end, requests_per_second: rate } = issuer
  if (end !== null && (wanted.expiresAt === null || wanted.expiresAt > end)) throw beyond("end")
  const isFaster = wanted.rate === null || (wanted.rate ?? 0) > (rate ?? 0)
  if (rate !== null && isFaster) throw beyond("rate")
  if (issuer.addresses === null) return
  if (wanted.addresses === null) throw beyond("addresses")
  const [inside] = await readingAddresses(
    tx.query<{ all: boolean }>(
      `select coalesce(bool_and(a <<= any ($2::text[]::cidr[])), false) as all
        from unnest($1::text[]::cidr[]) a`,
      [wanted.addresses, issuer.addresses],
    ),
  )
  if (inside?.all !== true) throw beyond("addresses")
}

function beyond(what: "scopes" | "end" | "rate" | "addresses"): Problem {
  const message = `A key gives no more than it has itself: the ${what} asked for go beyond its own.`
  return new Problem("INSUFFICIENT_SCOPE", { message, details: { beyond: what } })
}

async function show(tx: Tx, keyring: Keyring, row: KeyRow): Promise<ShownKey> {
  const shown = shownKey(row, await keysOf(tx, keyring, row.tenant_id))
  // Which operator it was is the deployment's own affair.
  const isOperators = shown.issued_by !== null && !shown.issued_by.startsWith("key_")
  return isOperators ? { ...shown, issued_by: "operator" } : shown
}

function author(own: Own): Author {
  return { actor: actorOf(own), environments: [own.environment] }
}

function actorOf(own: Own): Id<"key"> {
  return encodeId("key", own.keyId)
}
