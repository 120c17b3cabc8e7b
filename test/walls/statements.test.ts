/**
 * I3 one layer further in: what a customer's role can do with whole statements, which no route lets
 * it write. What it can do all the same, PostgreSQL lets everybody do: docs/threat-model.md names it.
 */
import assert from "node:assert/strict"
import { randomUUID } from "node:crypto"
import { after, before, describe, it } from "node:test"
import type { TestDatabase } from "../postgres.ts"
import { createDatabase } from "../postgres.ts"
import type { Attack } from "./attack.ts"
import { attempt, attemptWithout, DENIED, describeAttacks, NO_ROW_SECURITY } from "./attack.ts"
import { ALICE, BOB, insertAnalyses, NOBODY } from "./tenants.ts"

const SUPERUSER = "alter role zt_tenant superuser"

/** `select … from nothing` runs; what cannot run in a transaction is not tried. */
const DEFINING: readonly (readonly [what: string, sql: string])[] = [
  ["switches row security off", "alter table live.analysis disable row level security"],
  ["drops a policy", "drop policy own_rows on live.analysis"],
  ["adds a policy", "create policy mine on live.analysis using (true)"],
  ["makes a table", "create table live.mine (id int)"],
  ["makes a temporary table", "create temp table mine (id int)"],
  ["makes a function", "create function live.f() returns int language sql return 1"],
  ["makes a temporary function", "create function pg_temp.f() returns int language sql return 1"],
  [
    "makes a trigger",
    "create trigger t before insert on live.analysis execute function suppress_redundant_updates_trigger()",
  ],
  ["makes a rule", "create rule r as on insert to live.analysis do instead nothing"],
  ["makes a schema", "create schema mine"],
  ["makes a publication", "create publication p for all tables"],
  ["makes a role", "create role mine"],
  ["grants", "grant select on platform.migration to public"],
  ["becomes superuser", "alter role zt_tenant bypassrls"],
  ["changes the runtime's time-out", "alter role zt_runtime set statement_timeout = 0"],
  [
    "changes everybody's tables to come",
    "alter default privileges for role zt_owner grant all on tables to public",
  ],
  ["comments", "comment on table live.analysis is 'x'"],
  ["empties a table", "truncate live.analysis cascade"],
  ["locks a table", "lock table live.analysis in share mode"],
  ["copies to a program", "copy (select 1) to program 'cat >/dev/null'"],
  ["copies to a file", "copy (select 1) to '/dev/null'"],
  ["copies from a file", "copy live.analysis from '/dev/null'"],
  ["logs as another", "set local log_statement = 'none'"],
]

const ROLES = [
  "zt_migrate",
  "zt_owner",
  "zt_service",
  "zt_admin",
  "zt_operator",
  "zt_backup",
  "zt_role_admin",
  "zt_engineer",
  "postgres",
]

const ATTACKS: readonly Attack[] = [
  ...DEFINING.map(([what, sql]) => ({
    what,
    sql,
    refused: DENIED,
    down: `${SUPERUSER}; ${NO_ROW_SECURITY}`,
  })),
  ...ROLES.map((role) => ({
    what: `becomes ${role}`,
    sql: `set local role ${role}`,
    refused: DENIED,
    down: "alter role zt_runtime superuser",
  })),
  {
    what: "logs in as another",
    sql: "set local session authorization zt_migrate",
    refused: DENIED,
  },
  {
    what: "writes a row of Bob's",
    sql: `insert into live.analysis (tenant_id, id, domain_index, observed_at, expires_at, sealed)
      values ('${BOB}', gen_random_uuid(), substr(sha256(''), 1, 16), now(), now(), '')`,
    refused: DENIED,
    down: NO_ROW_SECURITY,
  },
  {
    what: "learns by a foreign key whether a tenant is there",
    sql: `insert into live.analysis (tenant_id, id, domain_index, observed_at, expires_at, sealed)
      values ('${BOB}', gen_random_uuid(), substr(sha256(''), 1, 16), now(), now(), '')`,
    oracle: true,
    down: NO_ROW_SECURITY,
  },
  {
    what: "moves a row to Bob",
    sql: `update live.analysis set tenant_id = '${BOB}'`,
    refused: DENIED,
    down: `grant update on live.analysis to zt_tenant; ${NO_ROW_SECURITY}`,
  },
  {
    what: "moves a row to Bob, were it allowed to write",
    sql: `merge into live.analysis a using (values (1)) v on true
      when matched then update set tenant_id = '${BOB}'`,
    refused: DENIED,
    down: `grant update on live.analysis to zt_tenant; ${NO_ROW_SECURITY}`,
  },
  {
    what: "reads what it would overwrite",
    sql: `insert into live.analysis select * from live.analysis
      on conflict (tenant_id, id) do update set sealed = excluded.sealed returning id::text`,
    refused: DENIED,
    down: `grant update on live.analysis to zt_tenant; ${NO_ROW_SECURITY}`,
  },
]

describeAttacks("a whole statement", "live", ATTACKS)

for (const major of [18, 15] as const) {
  describe(`between tenants, PostgreSQL ${major}`, () => {
    const bobs = randomUUID()
    let db: TestDatabase
    before(async () => {
      db = await createDatabase(major)
      await db.asSuperuser(async (client) => {
        for (const tenant of [ALICE, BOB]) {
          await client.query(
            "insert into platform.tenant (id, name_index, sealed_name) values ($1::uuid, uuid_send($1), '')",
            [tenant],
          )
        }
        await insertAnalyses(client, "live", BOB, 3_000)
        await client.query(
          "update live.analysis set id = $1 where ctid = (select min(ctid) from live.analysis)",
          [bobs],
        )
        await client.query("analyze live.analysis")
      })
    })
    after(() => db.drop())

    it("a unique key of Bob's does not collide with Alice's", async () => {
      const insert = (id: string) => ({
        sql: `insert into live.analysis (tenant_id, id, domain_index, observed_at, expires_at, sealed)
          values ('${ALICE}', '${id}', substr(sha256(''), 1, 16), now(), now(), '')`,
      })
      const down = "alter table live.analysis add unique (id)"
      const open = await attemptWithout(db, "live", { ...insert(bobs), down })
      assert.equal(open.state, "23505", "with a key across tenants it collides")
      assert.deepEqual(
        await attempt(db.database, "live", insert(bobs)),
        await attempt(db.database, "live", insert(randomUUID())),
      )
    })

    it("every unique and foreign key of tenants' tables begins with the tenant, but for ids of tenants and their names", async () => {
      const open = await db.asSuperuser(async (client) => {
        const { rows } = await client.query<{ name: string }>(
          `select c.conrelid::regclass || ' ' || c.conname as name from pg_constraint c
            where c.contype in ('p', 'u', 'f', 'x')
              and c.connamespace::regnamespace::text in ('platform', 'live', 'sandbox')
              and (select attname from pg_attribute where attrelid = c.conrelid and attnum = c.conkey[1])
                <> 'tenant_id'
            union all
            select i.indexrelid::regclass::text from pg_index i join pg_class t on t.oid = i.indrelid
            where i.indisunique and t.relnamespace::regnamespace::text in ('platform', 'live', 'sandbox')
              and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
              and (select attname from pg_attribute where attrelid = t.oid and attnum = i.indkey[0])
                is distinct from 'tenant_id'
            order by 1`,
        )
        return rows.map(({ name }) => name)
      })
      assert.deepEqual(open, [
        "live.batch batch_pkey", // customers write none of these
        "live.network_salt network_salt_pkey",
        "live.unknown_key unknown_key_pkey",
        "live.usage_progress usage_progress_pkey",
        "platform.backup_run backup_run_pkey",
        "platform.backup_turn backup_turn_pkey",
        "platform.key_request key_request_attempt_index_key",
        "platform.key_request key_request_given_to_fkey",
        "platform.key_request key_request_link_digest_key",
        "platform.key_request key_request_pkey",
        "platform.maintenance_turn maintenance_turn_pkey",
        "platform.migration migration_pkey",
        "platform.plan plan_pkey",
        "platform.tenant tenant_name_index_key",
        "platform.tenant tenant_pkey",
        "platform.tenant tenant_plan_fkey",
        "platform.watch_turn watch_turn_pkey",
        "sandbox.batch batch_pkey",
        "sandbox.network_salt network_salt_pkey",
        "sandbox.unknown_key unknown_key_pkey",
        "sandbox.usage_progress usage_progress_pkey",
      ])
    })

    it("no sequence counts for all tenants, and none is a customer's to use", async () => {
      const sequences = await db.asSuperuser(async (client) => {
        const { rows } = await client.query(
          `select oid::regclass::text from pg_class where relkind = 'S'
            and relnamespace::regnamespace::text in ('platform', 'live', 'sandbox')
            and (has_sequence_privilege('zt_tenant', oid, 'usage, select, update')
              or has_sequence_privilege('zt_sandbox', oid, 'usage, select, update'))`,
        )
        return rows
      })
      assert.deepEqual(sequences, [])
    })

    it("what an EXPLAIN estimates of Bob's rows can be had by a statement alone, by no expression", async () => {
      const rows = async (tenant: string) => {
        const { said } = await attempt(db.database, "live", {
          sql: `explain select from live.analysis where tenant_id = '${tenant}'`,
        })
        return said.match(/ rows=\d+/)?.[0]
      }
      assert.notEqual(await rows(BOB), await rows(NOBODY), "PostgreSQL tells; the documents say so")
      for (const name of ["query_to_xml", "cursor_to_xml", "ts_stat"]) {
        const call =
          name === "query_to_xml"
            ? ", true, true, ''"
            : name === "ts_stat"
              ? ""
              : ", 1, true, true, ''"
        const sql = `select ${name}('explain select from live.analysis'${call})::text`
        assert.equal((await attempt(db.database, "live", { sql })).state, DENIED)
        // Even those that run text as a query run none that is not one.
        const down =
          "do $$ begin execute 'grant execute on all functions in schema pg_catalog to public'; end $$"
        assert.ok((await attemptWithout(db, "live", { sql, down })).failed)
      }
    })

    for (const [what, sql] of [
      ["another tenant", `set local zt.tenant = '${BOB}'`],
      ["the runtime's own role", "reset role"],
      ["a listener", "listen channel"],
      ["a notification", "notify channel"],
      ["a lock that stops migrations", "lock table live.analysis in access share mode"],
    ] as const) {
      it(`a whole statement could take ${what}: as the documents say`, async () => {
        assert.ok(!(await attempt(db.database, "live", { sql })).failed)
      })
    }
  })
}
