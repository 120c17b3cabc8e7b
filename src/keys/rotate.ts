/**
 * Rotation: a new key in an old one's place, with the same name and bounds.
 *
 * Invariant (K4): in one transaction the new key is there and the old one's end is fixed: at once,
 * or at a time that is told. A key is replaced once.
 */
import { append } from "../audit/append.ts"
import type { Id } from "../core/ids.ts"
import { encodeId } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Tx } from "../db/database.ts"
import type { Keyring } from "../secrets/keyring.ts"
import type { Author } from "./life.ts"
import { change, lockLiving } from "./life.ts"
import { insertKey, keysOf } from "./make.ts"
import type { KeyRow } from "./row.ts"
import { keyName } from "./row.ts"

/** Old and new side by side, at most. */
export const MAX_OVERLAP_SECONDS = 30 * 86_400

export interface RotatedKey {
  readonly id: Id<"key">
  /** Shown this once. */
  readonly key: string
  readonly replaces: Id<"key">
  /** From when on the old one is refused. RFC 3339, UTC. */
  readonly old_key_ends_at: string
}

/**
 * @param overlapSeconds - How long the old key goes on; 0: not at all.
 * @param own - For keys that rotate keys: `mayTake` throws where the author may have no such key.
 * @throws Problem `NOT_FOUND`; `CONFLICT` for a key that has ended, is disabled, or was rotated.
 */
export async function rotateKey(
  tx: Tx,
  keyring: Keyring,
  author: Author,
  id: string,
  overlapSeconds: number,
  own: {
    mayTake?: (old: KeyRow) => Promise<void>
    /** Of the new key; by default a new one. */
    uuid?: string
  } = {},
): Promise<RotatedKey> {
  const old = await lockLiving(tx, author, id)
  await own.mayTake?.(old)
  if (old.replaced_by !== null) {
    const next = encodeId("key", old.replaced_by)
    throw conflict(`The key ${id} was rotated already, to ${next}: rotate that one.`)
  }
  if (old.disabled_at !== null) throw conflict(`The key ${id} is disabled: enable it first.`)
  const { environment, tenant_id: tenantId } = old
  const keys = await keysOf(tx, keyring, tenantId)
  const {
    uuid,
    id: newId,
    key,
  } = await insertKey(tx, keys, {
    environment,
    tenantId,
    name: keys.open(keyName(environment, tenantId, old.id), old.sealed_name),
    scopes: old.scopes,
    addresses: old.addresses,
    expiresAt: old.expires_at,
    rate: { perSecond: old.requests_per_second, burst: old.burst },
    actor: author.actor,
    uuid: own.uuid,
  })
  const { actor } = author
  await append(tx, {
    actor,
    action: "key.issued",
    tenantId,
    subject: newId,
    details: { environment, replaces: id },
  })
  const set =
    overlapSeconds === 0
      ? "replaced_by = $3, revoked_at = clock_timestamp()"
      : "replaced_by = $3, expires_at = least(expires_at, clock_timestamp() + make_interval(secs => $4))"
  const values = overlapSeconds === 0 ? [uuid] : [uuid, overlapSeconds]
  const ended = await change(tx, author, old, "key.rotated", set, values, {
    replaced_by: newId,
    overlap_seconds: overlapSeconds,
  })
  const end = ended.revoked_at ?? ended.expires_at
  if (end === null) throw new Problem("INTERNAL")
  return {
    id: newId,
    key,
    replaces: encodeId("key", old.id),
    old_key_ends_at: end.toISOString(),
  }
}

function conflict(message: string): Problem {
  return new Problem("CONFLICT", { message })
}
