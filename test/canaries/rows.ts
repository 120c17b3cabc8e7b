/** What the database holds, as its superuser sees it: rows as text, and what it says of itself. */
import type pg from "pg"
import { withClient } from "../../src/db/connection.ts"
import { platformPackage } from "../../src/db/embedded/binaries.ts"
import { openEmbedded } from "../../src/db/embedded/embedded.ts"
import { EMBEDDED_DATABASE } from "../../src/db/setup.ts"
import type { SecretStore } from "../../src/secrets/store.ts"
import type { Place } from "./places.ts"

/** Works as the superuser of a data folder's database, which is started where it does not run. */
export async function asSuperuser<T>(
  dataDir: string,
  secrets: SecretStore,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const server = await openEmbedded(dataDir, secrets, platformPackage())
  try {
    return await withClient(server.address(EMBEDDED_DATABASE), server.superuser, work)
  } finally {
    await server.close()
  }
}

/** Rows are read too, since PostgreSQL compresses long values in a way of its own. */
export async function rowPlaces(client: pg.Client): Promise<Place[]> {
  const { rows: tables } = await client.query<{ name: string }>(
    `select oid::regclass::text as name from pg_class
      where relkind in ('r', 'p', 'm') and not relispartition
        and relnamespace::regnamespace::text !~ '^pg_(toast|temp)'
      union all select 'pg_stat_activity' union all select 'pg_settings'`,
  )
  const places: Place[] = []
  for (const { name } of tables) {
    const { rows } = await client.query<{ text: string }>(`select t::text as text from ${name} t`)
    places.push({ name: `rows of ${name}`, bytes: rows.map(({ text }) => text).join("\n") })
  }
  return places
}

/** @returns The verifier of each role that has one. */
export async function verifiers(client: pg.Client): Promise<{ role: string; verifier: string }[]> {
  const { rows } = await client.query<{ role: string; verifier: string }>(
    "select rolname as role, rolpassword as verifier from pg_authid where rolpassword is not null",
  )
  return rows
}

/** @returns Every tenant's seed. */
export async function seeds(client: pg.Client): Promise<Buffer[]> {
  const { rows } = await client.query<{ seed: Buffer }>("select seed from platform.tenant_key")
  return rows.map(({ seed }) => seed)
}

/** Each fails, and its message, detail, hint or statement holds the value. */
const BROKEN = [
  "select {}::uuid",
  "select {}::int",
  "select syntax error at {}",
  "insert into broken values ({}), ({})",
  "insert into broken values ({} || ' is too long')",
  "do $$ begin raise exception using message = {}, detail = {}, hint = {}; end $$",
]

/** Sends statements that fail, each with the value in it. */
export async function breakStatements(client: pg.Client, value: string): Promise<void> {
  const literal = client.escapeLiteral(value)
  await client.query("create temp table broken (text text primary key check (length(text) < 30))")
  for (const statement of BROKEN) {
    const failed = await client.query(statement.replaceAll("{}", literal)).then(
      () => false,
      () => true,
    )
    if (!failed) throw new Error(`'${statement}' was to fail`)
  }
}
