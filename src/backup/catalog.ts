/**
 * What a backup is made of, as the catalog of the database tells: no list to forget a table in.
 *
 * Ours is every schema that a role of the program owns.
 */
import type pg from "pg"
import { runStatement } from "../db/connection.ts"

export interface Table {
  readonly schema: string
  readonly name: string
  /** Without generated ones, which the database makes again. */
  readonly columns: readonly string[]
  /** About as many bytes does its COPY have. */
  readonly bytes: number
}

/** Tenants' seeds lie in a file of their own, so that an erased tenant's can be taken from all backups. */
export const SEEDS = { schema: "platform", name: "tenant_key" } as const

const OURS = `n.nspowner in (select oid from pg_roles where rolname like 'zt\\_%')`

/**
 * @returns Every table with rows of its own (partitions, not their parents), those that others refer
 *   to first. Not what a crash empties anyway (unlogged).
 */
export async function listTables(client: pg.ClientBase): Promise<Table[]> {
  const { rows } = await runStatement<Table & { id: string; needs: string[] }>(
    client,
    `select c.oid::text as id, n.nspname as schema, c.relname as name,
        pg_relation_size(c.oid)::float8 as bytes,
        array(select a.attname::text from pg_attribute a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
          order by a.attnum) as columns,
        array(select f.confrelid::text from pg_constraint f
          where f.conrelid = c.oid and f.contype = 'f' and f.confrelid <> c.oid) as needs
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and c.relpersistence = 'p' and ${OURS}
      order by n.nspname, c.relname`,
  )
  const known = new Set(rows.map(({ id }) => id))
  const placed = new Set<string>()
  const sorted: Table[] = []
  for (let waiting = rows; waiting.length > 0; ) {
    const next = waiting.filter(({ needs }) =>
      needs.every((id) => placed.has(id) || !known.has(id)),
    )
    if (next.length === 0) throw new Error("tables refer to each other in a circle")
    for (const { id, schema, name, columns, bytes } of next) {
      placed.add(id)
      sorted.push({ schema, name, columns, bytes })
    }
    waiting = waiting.filter(({ id }) => !placed.has(id))
  }
  return sorted
}

export interface Sequence {
  readonly schema: string
  readonly name: string
}

export async function listSequences(client: pg.ClientBase): Promise<Sequence[]> {
  const { rows } = await runStatement<Sequence>(
    client,
    `select n.nspname as schema, c.relname as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'S' and ${OURS} order by 1, 2`,
  )
  return rows
}

/** @returns Whether a table or sequence is the one that a file of its own holds. */
export function isSeeds({ schema, name }: Sequence): boolean {
  return schema === SEEDS.schema && name === SEEDS.name
}

/** @returns Schema and name, quoted. */
export function quoted({ schema, name }: Sequence): string {
  return `${quote(schema)}.${quote(name)}`
}

export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}

/**
 * The session's settings that a COPY's bytes and their order hang on, for one transaction. Nothing
 * that takes long may end it either.
 */
export const COPY_SETTINGS = `
  set local synchronize_seqscans = off; set local max_parallel_workers_per_gather = 0;
  set local client_encoding = 'UTF8'; set local statement_timeout = 0;
  set local idle_in_transaction_session_timeout = 0`
