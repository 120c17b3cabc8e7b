/**
 * Seals rows again after the root key was rotated, a batch a transaction, while others read and
 * write them.
 *
 * Owns: finding what an older generation sealed, and replacing it with its blind index. Not: which
 * tables are sealed (the nouns say), retiring generations (the command).
 * Invariant: a row is replaced whole or not at all, and only if it opened. As zt_migrate, which sees
 * every row. What an erased tenant left cannot be opened, and stays as it is.
 */
import type { Keyring } from "../secrets/keyring.ts"
import { DEPLOYMENT } from "../secrets/sealing.ts"
import type { Tx } from "./database.ts"

/** A table with one sealed column. */
export interface SealedTable {
  /** With its schema. */
  readonly table: string
  readonly column: string
  /** Holds the tenant; `id` in the tenants' own table. Null: it is the deployment's, sealed with its keys. */
  readonly tenantColumn: "tenant_id" | "id" | null
  /** What rows are found by, where they are. */
  readonly index?: {
    readonly column: string
    /** As in `Keys.indexes`. */
    readonly what: string
    /** Whose keys made it. */
    readonly by: "tenant" | "deployment"
    /** @returns What was indexed, from what was sealed. */
    value(plain: string): string
  }
}

/** A row's place in the order of the walk. */
export interface Position {
  readonly tenantId: string
  readonly rowId: string
}

export const START: Position = {
  tenantId: "00000000-0000-0000-0000-000000000000",
  rowId: "00000000-0000-0000-0000-000000000000",
}

const generation = (column: string) => `(get_byte(${column}, 1) * 256 + get_byte(${column}, 2))`

/**
 * Seals the next rows of a table with the newest generation.
 * @param after - Where the last batch ended, or START.
 * @returns How many rows, and where to go on; `undefined` when the table is through.
 */
export async function resealBatch(
  tx: Tx,
  keyring: Keyring,
  { table, column, tenantColumn, index }: SealedTable,
  after: Position,
  limit: number,
): Promise<{ readonly count: number; readonly next: Position | undefined }> {
  const { tenant, seeds } = ownerOf(tenantColumn)
  const rows = await tx.query<Row>(
    `select ${tenant} as tenant_id, t.id, t.${column} as sealed, s.seed
      from ${table} t ${seeds}
      where (${tenant}, t.id) > ($1, $2) and ${generation(`t.${column}`)} <> $3
      order by ${tenant}, t.id limit $4 for no key update of t`,
    [after.tenantId, after.rowId, keyring.newest, limit],
  )
  const sealed: Buffer[] = []
  const indexes: (Buffer | null)[] = []
  for (const { tenant_id: tenantId, id: rowId, sealed: old, seed } of rows) {
    const keys = seed === null ? keyring.deployment : keyring.keys(tenantId, seed)
    const place = { table, column, tenantId: seed === null ? DEPLOYMENT : tenantId, rowId }
    const plain = keys.open(place, old)
    sealed.push(keys.seal(place, plain))
    const by = index?.by === "deployment" ? keyring.deployment : keys
    indexes.push(index ? by.indexes(index.what, index.value(plain))[0] : null)
  }
  await tx.query(
    `update ${table} t set ${column} = n.sealed ${index ? `, ${index.column} = n.blind` : ""}
      from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[]) as n(tenant_id, id, sealed, blind)
      where ${tenant} = n.tenant_id and t.id = n.id`,
    [rows.map((row) => row.tenant_id), rows.map((row) => row.id), sealed, indexes],
  )
  const last = rows.at(-1)
  const next =
    last && rows.length === limit ? { tenantId: last.tenant_id, rowId: last.id } : undefined
  return { count: rows.length, next }
}

/** @returns The generations that sealed a table's rows, those of erased tenants left out. */
export async function generationsOf(tx: Tx, { table, column, tenantColumn }: SealedTable) {
  const rows = await tx.query<{ generation: number }>(
    `select distinct ${generation(`t.${column}`)} as generation
      from ${table} t ${ownerOf(tenantColumn).seeds}`,
  )
  return rows.map((row) => row.generation)
}

interface Row {
  readonly tenant_id: string
  readonly id: string
  readonly sealed: Buffer
  /** Null: the deployment's. */
  readonly seed: Buffer | null
}

function ownerOf(tenantColumn: SealedTable["tenantColumn"]) {
  return tenantColumn === null
    ? { tenant: `'${START.tenantId}'::uuid`, seeds: "cross join (select null::bytea as seed) s" }
    : {
        tenant: `t.${tenantColumn}`,
        seeds: `join platform.tenant_key s on s.tenant_id = t.${tenantColumn}`,
      }
}
