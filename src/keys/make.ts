/**
 * A new key's row.
 *
 * Invariants (K2, K3): the database gets index and digest; the key itself is returned once, and kept
 * nowhere. Not: whether there may be one (keys.ts, own.ts), audit entries.
 */
import type { Id } from "../core/ids.ts"
import { encodeId, newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Environment, Tx } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import { sqlState } from "../db/errors.ts"
import { tenantSeed } from "../db/tenant-seed.ts"
import type { Keyring, Keys } from "../secrets/keyring.ts"
import { generateKey, readKey } from "./format.ts"
import { checkName, keyName } from "./row.ts"

export interface NewKey {
  readonly environment: Environment
  readonly tenantId: string
  readonly name: string
  /** Bits. */
  readonly scopes: number
  /** Null: any. */
  readonly addresses: readonly string[] | null
  readonly expiresAt: Date | null
  readonly rate?: { readonly perSecond: number | null; readonly burst: number | null }
  /** Who issues it, as in audit entries. */
  readonly actor: string
  /** By default a new one. */
  readonly uuid?: string | undefined
}

const INVALID_TEXT = "22P02"
const MAX_ADDRESSES = 100

/** @throws Problem `INVALID_REQUEST` for a name or addresses that are none. */
export async function insertKey(
  tx: Tx,
  keys: Keys,
  made: NewKey,
): Promise<{ readonly uuid: string; readonly id: Id<"key">; readonly key: string }> {
  checkName("name", made.name)
  checkCount(made.addresses)
  const key = generateKey(made.environment)
  const parts = readKey(key)
  if (parts === undefined) throw new Problem("INTERNAL")
  const { uuid = newUuid() } = made
  const sealedName = keys.seal(keyName(made.environment, made.tenantId, uuid), made.name)
  await readingAddresses(
    tx.query(
      `insert into ${SCHEMAS[made.environment]}.api_key (tenant_id, id, sealed_name, index8, digest,
          scopes, addresses, expires_at, requests_per_second, burst, issued_by)
        values ($1, $2, $3, $4, decode($5, 'hex'), $6, $7::text[]::cidr[], $8, $9, $10, $11)`,
      [
        made.tenantId,
        uuid,
        sealedName,
        parts.index8,
        parts.digest,
        made.scopes,
        made.addresses,
        made.expiresAt,
        made.rate?.perSecond ?? null,
        made.rate?.burst ?? null,
        made.actor,
      ],
    ),
  )
  return { uuid, id: encodeId("key", uuid), key }
}

/** @returns What the tenant's names are sealed with. @throws Problem `GONE` for an erased tenant. */
export async function keysOf(tx: Tx, keyring: Keyring, tenantId: string): Promise<Keys> {
  const keys = await keyring.of(tenantId, () => tenantSeed(tx, tenantId))
  if (keys === undefined) throw new Problem("GONE", { message: "That tenant was erased." })
  return keys
}

/** @throws Problem `INVALID_REQUEST` */
export function checkCount(addresses: readonly string[] | null): void {
  if (addresses === null || (addresses.length > 0 && addresses.length <= MAX_ADDRESSES)) return
  const message = `A key has 1 to ${MAX_ADDRESSES} addresses, or may be used from any.`
  throw new Problem("INVALID_REQUEST", { message })
}

/** What a statement that reads addresses fails with, told to who gave them. */
export function readingAddresses<T>(statement: Promise<T>): Promise<T> {
  return statement.catch((error: unknown) => {
    if (sqlState(error) !== INVALID_TEXT) throw error
    throw new Problem("INVALID_REQUEST", {
      message:
        "An address is one of IPv4 or IPv6, or a network like 203.0.113.0/24 with no bit set beyond its prefix.",
    })
  })
}
