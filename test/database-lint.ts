/**
 * Lint of the database's schema: rules of the field (those of Supabase's splinter that apply) and
 * the house's own, each a function from the catalog to what breaks it.
 */
import type pg from "pg"
import type { Catalog, Policy } from "../src/controls/catalog.ts"
import { readWithin } from "../src/controls/catalog.ts"
import { runStatement } from "../src/db/connection.ts"

/** What the catalog of privileges does not hold. */
interface Structure {
  readonly withoutPrimaryKey: readonly string[]
  readonly unindexedForeignKeys: readonly string[]
  readonly duplicateIndexes: readonly string[]
  /** Primary, unique and foreign keys, and unique indexes: table, name, first column. */
  readonly keys: readonly { readonly table: string; readonly key: string; readonly first: string }[]
}

type Rule = (catalog: Catalog, structure: Structure) => readonly string[]

/** Keys of tenant tables that are not the tenant's own, with the reason. */
const KEYS_ACROSS_TENANTS: Readonly<Record<string, string>> = {
  "audit.entry: entry_pkey": "customers' roles have no way into the audit log",
}

const RULES: Readonly<Record<string, Rule>> = {
  "row security without a policy": ({ tables }) =>
    tables.filter((t) => t.rowSecurity && t.policies.length === 0).map(({ name }) => name),
  "policy without row security": ({ tables }) =>
    tables.filter((t) => !t.rowSecurity && t.policies.length > 0).map(({ name }) => name),
  "policy calls a function for every row": (catalog) =>
    policies(catalog, ({ using, check }) => [using, check].some(callsPerRow)),
  "policy reads a setting": (catalog) =>
    policies(catalog, ({ using, check }) => /current_setting/.test(`${using} ${check}`)),
  "policy for everybody": (catalog) => policies(catalog, ({ roles }) => roles.includes("PUBLIC")),
  "permissive policies overlap": ({ tables }) =>
    tables.flatMap(({ name, policies }) =>
      policies.flatMap((one, at) =>
        policies
          .slice(at + 1)
          .filter((other) => overlap(one, other))
          .map((other) => `${name}: ${one.name}, ${other.name}`),
      ),
    ),
  "definer's rights without a search_path": ({ routines }) =>
    routines.filter((r) => r.definer && !hasSearchPath(r.settings)).map(({ name }) => name),
  "search_path of the caller": ({ routines }) =>
    routines
      .filter((r) => !r.definer && !r.isParsed && !hasSearchPath(r.settings))
      .map(({ name }) => name),
  "granted to everybody": ({ schemas, tables, routines, database }) =>
    [
      ...schemas,
      ...tables.map((one) => ({ ...one, grants: [...one.grants, ...one.columnGrants] })),
      ...routines,
      { name: "database", ...database },
    ]
      .filter(({ grants }) => grants.some(({ role }) => role === "PUBLIC"))
      .map(({ name }) => name),
  "view with its owner's rights": ({ tables }) =>
    tables
      .filter(
        (t) => t.kind === "view" && !t.extras.some((x) => /^security_invoker=(true|on)$/.test(x)),
      )
      .map(({ name }) => name),
  "materialized view or foreign table that others may read": ({ tables }) =>
    tables
      .filter(({ kind }) => kind === "materialized view" || kind === "foreign table")
      .filter(({ grants, columnGrants }) => grants.length + columnGrants.length > 0)
      .map(({ name }) => name),
  "table without a primary key": (_, { withoutPrimaryKey }) => withoutPrimaryKey,
  "foreign key without an index": (_, { unindexedForeignKeys }) => unindexedForeignKeys,
  "index that is there twice": (_, { duplicateIndexes }) => duplicateIndexes,
  "key across tenants": ({ tables }, { keys }) => {
    const tenants = tables.filter(({ columns }) => columns.includes("tenant_id"))
    return keys
      .filter(({ table, first }) => first !== "tenant_id" && tenants.some((t) => t.name === table))
      .map(({ table, key }) => `${table}: ${key}`)
      .filter((key) => !(key in KEYS_ACROSS_TENANTS))
  },
  "extension in a schema that people use": ({ others }) =>
    others.filter((one) => one.startsWith("extension ")),
}

/** Looks in the caller's transaction. @returns Each rule that is broken, with what breaks it. */
export async function lintDatabase(
  client: pg.ClientBase,
): Promise<Record<string, readonly string[]>> {
  const catalog = await readWithin(client)
  const [row] = (await runStatement<{ structure: Structure }>(client, STRUCTURE)).rows
  if (row === undefined) throw new TypeError("the catalog does not answer")
  return Object.fromEntries(
    Object.entries(RULES)
      .map(([rule, find]) => [rule, find(catalog, row.structure)] as const)
      .filter(([, found]) => found.length > 0),
  )
}

function policies({ tables }: Catalog, isBad: (policy: Policy) => boolean): string[] {
  return tables.flatMap((table) =>
    table.policies.filter(isBad).map(({ name }) => `${table.name}: ${name}`),
  )
}

/** A sub-select without a reference to the row is worked out once a statement. */
function callsPerRow(expression: string | null): boolean {
  const outside = (expression ?? "").replaceAll(/\( SELECT [\w.]+\(\) AS \w+\)/g, "")
  return /\w\(|\b(SESSION_USER|CURRENT_USER)\b/.test(outside)
}

function overlap(one: Policy, other: Policy): boolean {
  return (
    one.permissive &&
    other.permissive &&
    (one.command === "all" || other.command === "all" || one.command === other.command) &&
    one.roles.some((role) => other.roles.includes(role) || other.roles.includes("PUBLIC"))
  )
}

function hasSearchPath(settings: readonly string[]): boolean {
  return settings.some((setting) => setting.startsWith("search_path="))
}

const OURS = String.raw`nspname not like 'pg\_%' and nspname <> 'information_schema'`

const STRUCTURE = `
  select jsonb_build_object(
    'withoutPrimaryKey', (select coalesce(jsonb_agg(format('%s.%s', nspname, relname)), '[]')
      from pg_class c join pg_namespace n on n.oid = relnamespace
      where relkind in ('r', 'p') and ${OURS} and not exists (
        select from pg_constraint where conrelid = c.oid and contype = 'p')),
    'unindexedForeignKeys', (select coalesce(jsonb_agg(format('%s.%s: %s', nspname, relname, conname)), '[]')
      from pg_constraint f join pg_class c on c.oid = conrelid join pg_namespace n on n.oid = relnamespace
      where contype = 'f' and ${OURS} and not exists (
        select from pg_index i where i.indrelid = f.conrelid and i.indpred is null
          and (i.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey)),
    'duplicateIndexes', (select coalesce(jsonb_agg(names), '[]') from (
      select string_agg(indexrelid::regclass::text, ', ' order by indexrelid::regclass::text) as names
        from pg_index i join pg_class c on c.oid = indrelid join pg_namespace n on n.oid = relnamespace
        where ${OURS}
        group by indrelid, indkey::text, indclass::text, indoption::text,
          coalesce(indpred::text, ''), coalesce(indexprs::text, '')
        having count(*) > 1) d),
    'keys', (select coalesce(jsonb_agg(jsonb_build_object('table', format('%s.%s', nspname, relname),
        'key', name, 'first', attname)), '[]')
      from (select conrelid as rel, conname as name, conkey[1] as first from pg_constraint
          where contype in ('p', 'u', 'f')
        union select indrelid, indexrelid::regclass::text, indkey[0] from pg_index
          where indisunique and not exists (
            select from pg_constraint where conindid = indexrelid)) k
        join pg_class c on c.oid = rel join pg_namespace n on n.oid = relnamespace
        left join pg_attribute a on a.attrelid = rel and a.attnum = first
      where ${OURS})) as structure`
