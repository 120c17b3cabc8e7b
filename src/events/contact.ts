/**
 * Where a tenant's owner is mailed: one address, sealed with the tenant's keys.
 *
 * Owns: the rows, their audit entries. Not: sending (dispatcher.ts).
 * Invariant: an address is in no audit entry, and does not open once its tenant is erased.
 */
import { append } from "../audit/append.ts"
import { encodeId, newUuid } from "../core/ids.ts"
import { isMailAddress } from "../core/mail-address.ts"
import { Problem } from "../core/problem.ts"
import type { Tx } from "../db/database.ts"
import type { SealedTable } from "../db/reseal.ts"
import { tenantSeed } from "../db/tenant-seed.ts"
import type { Keyring } from "../secrets/keyring.ts"
import type { Place } from "../secrets/sealing.ts"

const TABLE = "platform.contact"
const COLUMN = "sealed_address"

/** @throws Problem `INVALID_REQUEST` for what is no address; it is not quoted. */
function checkAddress(address: string): void {
  if (isMailAddress(address)) return
  const message = "That is not a mail address: one is like name@example.com, in ASCII."
  throw new Problem("INVALID_REQUEST", { message })
}

/**
 * As an operator. What came before is forgotten, and mail is tried at once.
 * @param tenantId - UUID.
 * @throws Problem `INVALID_REQUEST`, or `GONE` for a tenant that was erased.
 */
export async function saveContact(
  tx: Tx,
  keyring: Keyring,
  tenantId: string,
  address: string,
  actor: string,
): Promise<void> {
  checkAddress(address)
  const keys = await keyring.of(tenantId, () => tenantSeed(tx, tenantId))
  if (keys === undefined) throw new Problem("GONE", { message: "That tenant was erased." })
  const id = newUuid()
  await tx.query(
    `insert into ${TABLE} (tenant_id, id, ${COLUMN}) values ($1, $2, $3)
      on conflict (tenant_id) do update set id = excluded.id, ${COLUMN} = excluded.${COLUMN},
        changed_at = clock_timestamp(), tries = 0, next_mail_at = clock_timestamp()`,
    [tenantId, id, keys.seal(placeOf(tenantId, id), address)],
  )
  await record(tx, tenantId, actor, true)
}

/** Again is harmless. As an operator. */
export async function clearContact(tx: Tx, tenantId: string, actor: string): Promise<void> {
  const [gone] = await tx.query(`delete from ${TABLE} where tenant_id = $1 returning tenant_id`, [
    tenantId,
  ])
  if (gone !== undefined) await record(tx, tenantId, actor, false)
}

/** @returns The address; undefined where there is none, or its tenant was erased. */
export async function readContact(
  tx: Tx,
  keyring: Keyring,
  tenantId: string,
): Promise<string | undefined> {
  const [row] = await tx.query<{ id: string; sealed: Buffer }>(
    `select id, ${COLUMN} as sealed from ${TABLE} where tenant_id = $1`,
    [tenantId],
  )
  const keys = row && (await keyring.of(tenantId, () => tenantSeed(tx, tenantId)))
  return keys && keyring.open(keys, placeOf(tenantId, row.id), row.sealed)
}

/** What a rotation of the root key seals again. */
export const SEALED_CONTACTS: SealedTable = {
  table: TABLE,
  column: COLUMN,
  tenantColumn: "tenant_id",
}

function placeOf(tenantId: string, rowId: string): Place {
  return { table: TABLE, column: COLUMN, tenantId, rowId }
}

function record(tx: Tx, tenantId: string, actor: string, set: boolean): Promise<void> {
  return append(tx, {
    actor,
    action: "tenant.contact_changed",
    tenantId,
    subject: encodeId("ten", tenantId),
    details: { set },
  })
}
