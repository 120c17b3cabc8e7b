/** What tests of backups need: a database with something in it, an empty one, and how to compare. */
import { randomUUID } from "node:crypto"
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { generateX25519Identity, identityToRecipient } from "age-encryption"
import type pg from "pg"
import type { Backing } from "../src/backup/backing.ts"
import { readSource } from "../src/backup/backing.ts"
import { makeBackup, writeSeeds } from "../src/backup/make.ts"
import { readSecrets } from "../src/backup/secrets.ts"
import { signerOf } from "../src/backup/signature.ts"
import { readDatabaseUrl } from "../src/db/address.ts"
import type { Address } from "../src/db/connection.ts"
import { issueKey } from "../src/keys/keys.ts"
import { Keyring } from "../src/secrets/keyring.ts"
import type { SecretStore } from "../src/secrets/store.ts"
import type { TestDatabase } from "./postgres.ts"
import type { Major } from "./postgres-servers.ts"
import { asSuperuser, sharedServer } from "./postgres-servers.ts"

export const NEVER = new AbortController().signal

/** Two tenants with keys, and rows in every kind of table. @returns A key of the first. */
export async function fill(
  db: Pick<TestDatabase, "admin" | "secrets" | "asSuperuser">,
  rows = 500,
): Promise<string> {
  const keyring = await Keyring.open(db.secrets)
  const [first] = await db.admin.asOperator(async (tx) => {
    const issue = (tenant: string, environment: "live" | "test") =>
      issueKey(tx, keyring, { tenant, name: "a name", environment, actor: "test" })
    return [await issue("alice", "live"), await issue("bob", "test")] as const
  })
  await db.asSuperuser((client) => addRows(client, rows))
  return first.key
}

/** More rows of the first tenant: usage, and sealed values that look like observations. */
export async function addRows(client: pg.Client, rows: number): Promise<void> {
  await client.query(
    `with tenant as (select id from platform.tenant limit 1)
    insert into live.usage (tenant_id, request_id, key_id, at, route, status, latency_bucket, cache_hit, units, plan)
      select tenant.id, gen_random_uuid(), gen_random_uuid(), now() - n * interval '1 ms', 1,
        case when n % 7 = 0 then null else 200 end, 3, n % 2 = 0, 1, 'unlimited'
      from tenant, generate_series(1, ${rows}) n`,
  )
  await client.query(
    `with tenant as (select id from platform.tenant limit 1)
    insert into live.analysis (tenant_id, id, domain_index, observed_at, expires_at, sealed)
      select tenant.id, gen_random_uuid(), substring(sha256(n::text::bytea) for 16), now(), now(),
        decode(repeat(encode(sha256(n::text::bytea), 'hex'), 40), 'hex')
      from tenant, generate_series(1, ${Math.ceil(rows / 10)}) n`,
  )
}

export interface TestIdentity {
  readonly identity: string
  readonly recipient: string
  readonly deployment: string
}

export async function newIdentity(): Promise<TestIdentity> {
  const identity = await generateX25519Identity()
  const recipient = await identityToRecipient(identity)
  return { identity, recipient, deployment: signerOf(identity).deployment }
}

export interface TestBackup extends TestIdentity {
  readonly folder: string
  readonly file: string
  readonly seeds: string
}

/** @returns A backup of a database in a new folder, which the caller removes. */
export async function backUp(
  db: Pick<TestDatabase, "url" | "secrets">,
  who?: TestIdentity,
): Promise<TestBackup> {
  const identity = who ?? (await newIdentity())
  const folder = await mkdtemp(join(tmpdir(), "zt-backup-"))
  const [file, seeds] = [join(folder, "one.age"), join(folder, "tenant-keys.age")]
  const backing = await backingOf(db, identity)
  await makeBackup({ backing, file, signal: NEVER })
  await writeSeeds(backing, seeds, NEVER)
  return { ...identity, folder, file, seeds }
}

export async function backingOf(
  { url, secrets }: Pick<TestDatabase, "url" | "secrets">,
  { identity, recipient }: TestIdentity,
): Promise<Backing> {
  const { address, database } = readDatabaseUrl(url)
  return {
    source: await readSource(address(database), secrets),
    identity,
    recipients: [recipient],
    secrets: await readSecrets(secrets),
  }
}

export interface EmptyDatabase {
  readonly address: Address
  readonly secrets: SecretStore
  asSuperuser<T>(work: (client: pg.Client) => Promise<T>): Promise<T>
  drop(): Promise<void>
}

/** @returns A database with the roles' rights and no table. */
export async function emptyDatabase(major: Major): Promise<EmptyDatabase> {
  const { server, secrets } = await sharedServer(major)
  const name = `test_${randomUUID().replaceAll("-", "")}`
  await asSuperuser(server, "postgres", async (client) => {
    await client.query(`create database ${name}`)
    await client.query(`revoke all on database ${name} from public;
      grant connect, create on database ${name} to zt_migrate`)
  })
  return {
    address: server.address(name),
    secrets,
    asSuperuser: (work) => asSuperuser(server, name, work),
    drop: () =>
      asSuperuser(server, "postgres", async (client) => {
        await client.query(`drop database ${name} with (force)`)
      }),
  }
}

/** @returns All that the catalog says of our objects, a line each, sorted. */
export async function catalogOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(CATALOG)
  return rows.map(({ line }) => line)
}

/** @returns A digest of each table's rows, whatever their order. */
export async function digestsOf(client: pg.Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and n.nspname in ('platform', 'live', 'sandbox', 'audit') order by 1`,
  )
  const digests: Record<string, string> = {}
  for (const { name } of rows) {
    const result = await client.query(
      `select count(*) || ' ' || coalesce(md5(string_agg(t::text, e'\\n' order by t::text)), '') as digest from ${name} t`,
    )
    digests[name] = result.rows[0].digest
  }
  return digests
}

const OURS = "('platform', 'live', 'sandbox', 'audit')"
const CATALOG = `
  select format('schema %s %s %s', nspname, nspowner::regrole, nspacl) as line
    from pg_namespace where nspname in ${OURS}
  union all select format('%s %s %s %s %s %s %s', relkind, c.oid::regclass, relowner::regrole, relacl,
      relrowsecurity, relforcerowsecurity, relpersistence)
    from pg_class c where relnamespace::regnamespace::text in ${OURS}
  union all select format('column %s %s %s %s %s %s', attrelid::regclass, attnum, attname,
      format_type(atttypid, atttypmod), attnotnull, attacl) || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
    from pg_attribute a left join pg_attrdef d on d.adrelid = attrelid and d.adnum = attnum
    where attnum > 0 and attrelid in
      (select oid from pg_class where relnamespace::regnamespace::text in ${OURS})
  union all select format('policy %s %s %s %s %s %s %s', polrelid::regclass, polname, polcmd, polpermissive,
      polroles::regrole[], pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
    from pg_policy
  union all select format('constraint %s %s', conrelid::regclass, pg_get_constraintdef(oid))
    from pg_constraint where connamespace::regnamespace::text in ${OURS}
  union all select format('index %s', pg_get_indexdef(indexrelid)) from pg_index
    where indrelid in (select oid from pg_class where relnamespace::regnamespace::text in ${OURS})
  union all select format('function %s %s %s %s', p.oid::regprocedure, proowner::regrole, proacl,
      md5(pg_get_functiondef(p.oid)))
    from pg_proc p where pronamespace::regnamespace::text in ${OURS}
  union all select format('sequence %s %s %s', schemaname, sequencename, last_value) from pg_sequences
    where schemaname in ${OURS}
  union all select format('role %s %s %s %s %s %s', rolname, rolcanlogin, rolinherit, rolcreaterole,
      rolsuper or rolbypassrls or rolcreatedb, rolconfig)
    from pg_roles where rolname like 'zt\\_%'
  union all select format('member %s of %s', member::regrole, roleid::regrole) from pg_auth_members
    where member::regrole::text like 'zt\\_%'
  order by 1`
