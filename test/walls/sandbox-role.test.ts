/**
 * K6: the role of test keys tries to read, write, lock, reference, time and name what is live.
 *
 * What PostgreSQL's catalog shows to everybody is not walled: that there is a schema `live` with
 * these tables, their columns, policies and functions, all of which is public anyway, and from the
 * last VACUUM or ANALYZE about how many rows all tenants together have (docs/threat-model.md).
 */
import assert from "node:assert/strict"
import { it } from "node:test"
import { createDatabase } from "../postgres.ts"
import type { Attack } from "./attack.ts"
import { allow, DENIED, describeAttacks, NO_ROW_SECURITY } from "./attack.ts"
import { ALICE, BOB, tenantTables } from "./tenants.ts"

const OPEN = `${NO_ROW_SECURITY}; grant usage on schema live to zt_sandbox;
  grant all on all tables in schema live to zt_sandbox`
/** A name is looked up with the right to use its schema alone. */
const NAMED = "grant usage on schema live to zt_sandbox"

const TABLES = [
  "account",
  "analysis",
  "api_key",
  "charge",
  "event",
  "finding",
  "idempotency",
  "key_use",
  "network",
  "network_day",
  "rate",
  "throttle",
  "usage",
  "usage_day",
  "usage_hour",
  "watch_hour",
] as const

const READING: Attack[] = TABLES.flatMap((table) => [
  {
    what: `reads live.${table}`,
    sql: `select string_agg(t::text, ',') from live.${table} t`,
    refused: DENIED,
    down: OPEN,
  },
  {
    what: `counts live.${table}`,
    sql: `select count(*) from live.${table}`,
    refused: DENIED,
    down: OPEN,
  },
  {
    what: `names live.${table}`,
    sql: `select 'live.${table}'::regclass::text`,
    refused: DENIED,
    down: NAMED,
  },
  {
    what: `asks whether live.${table} is there`,
    sql: `select to_regclass('live.${table}')::text`,
    refused: DENIED,
    down: NAMED,
  },
  {
    what: `locks live.${table}`,
    sql: `lock table live.${table} in access share mode`,
    refused: DENIED,
    down: OPEN,
  },
  {
    what: `locks the rows of live.${table}`,
    sql: `select 1 from live.${table} for key share`,
    refused: DENIED,
    down: OPEN,
  },
  {
    what: `empties live.${table}`,
    sql: `truncate live.${table}`,
    refused: DENIED,
    down: OPEN,
  },
  {
    what: `deletes from live.${table}`,
    sql: `delete from live.${table}`,
    refused: DENIED,
    down: OPEN,
  },
  {
    what: `measures live.${table} by its number`,
    sql: `select pg_relation_size(oid) from pg_class where relname = '${table}' limit 1`,
    refused: DENIED,
    down: allow("pg_relation_size"),
  },
  {
    what: `times the rows of live.${table}`,
    sql: `select max(xmin::text::bigint), clock_timestamp() - now() from live.${table}`,
    refused: DENIED,
    down: OPEN,
  },
])

const OTHER: readonly Attack[] = [
  {
    what: "writes a live analysis",
    sql: `insert into live.analysis (tenant_id, id, domain_index, observed_at, expires_at, sealed)
      values ('${ALICE}', gen_random_uuid(), '\\x00112233445566778899aabbccddeeff', now(), now(), '')`,
    refused: DENIED,
    down: OPEN,
  },
  {
    what: "writes a live key",
    sql: `insert into live.api_key (tenant_id, id, sealed_name, index8, digest)
      values ('${ALICE}', gen_random_uuid(), '', 'abcdefgh', sha256('x'))`,
    refused: DENIED,
    down: OPEN,
  },
  {
    what: "writes a live usage row",
    sql: `update live.usage set status = 200`,
    refused: DENIED,
    down: OPEN,
  },
  {
    what: "refers to a live row",
    sql: `do $$ begin execute 'create table sandbox.reference (tenant_id uuid, id uuid,
      foreign key (tenant_id, id) references live.analysis)'; end $$`,
    refused: DENIED,
    down: `${OPEN}; grant create on schema sandbox to zt_sandbox`,
  },
  {
    what: "makes its table a part of a live one",
    sql: "do $$ begin execute 'create table sandbox.part () inherits (live.analysis)'; end $$",
    refused: DENIED,
    down: `${OPEN}; grant create on schema sandbox to zt_sandbox;
      alter table live.analysis owner to zt_sandbox`,
  },
  {
    what: "makes a view of a live table",
    sql: "do $$ begin execute 'create view sandbox.v as select * from live.usage'; end $$",
    refused: DENIED,
    down: `${OPEN}; grant create on schema sandbox to zt_sandbox`,
  },
  {
    what: "admits by a live key",
    sql: `select * from live.admit_batch(gen_random_uuid(),true,'{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}','{}')`,
    refused: DENIED,
    down: `grant usage on schema live to zt_sandbox; ${allow("admit_batch")}`,
  },
  {
    what: "reports a live key as leaked",
    sql: "select live.report_leaks('{}', '{}', 'x')",
    refused: DENIED,
    down: `grant usage on schema live to zt_sandbox; ${allow("report_leaks")}`,
  },
  {
    what: "reads the columns' values from statistics",
    sql: "select most_common_vals from pg_stats where schemaname = 'live'",
    refused: DENIED,
    down: "grant select on pg_stats to public",
  },
  {
    what: "sees who holds a live table",
    sql: "select 1 from pg_locks l join pg_class c on c.oid = l.relation where relname = 'usage'",
    refused: DENIED,
    down: `grant select on pg_locks to public; ${allow("pg_lock_status")}`,
  },
  {
    what: "reads another tenant's test rows",
    sql: `select string_agg(id::text, ',') from sandbox.analysis where tenant_id = '${BOB}'`,
    down: NO_ROW_SECURITY,
  },
]

it("is tried on every live table", async () => {
  const db = await createDatabase()
  const tables = await db.asSuperuser(tenantTables)
  await db.drop()
  assert.deepEqual(
    tables.filter((name) => name.startsWith("live.")),
    TABLES.map((name) => `live.${name}`),
  )
})

describeAttacks("the role of test keys", "test", [...READING, ...OTHER])
