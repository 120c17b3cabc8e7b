/** Claims A2, I1 and I2 on a migrated database, and each way to break them, seen found. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type pg from "pg"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { credentials, LOGINS, withClient } from "../db/connection.ts"
import { readWithin } from "./catalog.ts"
import type { Finding } from "./finding.ts"
import { checkPrivileges, compareDocuments, findUndocumented } from "./privileges.ts"
import { checkRowSecurity, findOpenTables } from "./row-security.ts"
import { checkServicePaths, findStrayPaths } from "./service-paths.ts"

/** Claims that a finding breaks, besides A2: whatever is done by hand is not as documented. */
type Claim = "I1" | "I2"

/** What a superuser might do by hand, by mistake or on purpose; what the finding must name. */
const SABOTAGES: readonly (readonly [string, string, RegExp, ...Claim[]])[] = [
  [
    "a table granted to a customer's role",
    "grant delete on live.analysis to zt_tenant",
    /zt_tenant.*delete/,
  ],
  ["a column granted", "grant select (digest) on live.api_key to zt_tenant", /zt_tenant.*digest/],
  ["a table granted to PUBLIC", "grant select on live.usage to public", /PUBLIC.*select/],
  [
    "a right that can be passed on",
    "grant select on live.usage to zt_tenant with grant option",
    /select\*/,
  ],
  ["a right taken away", "revoke insert on live.usage from zt_service", /zt_service.*insert/],
  ["a schema granted", "grant usage on schema live to zt_sandbox", /live.*zt_sandbox/],
  [
    "the audit log can be changed",
    "grant update on audit.entry to zt_owner",
    /audit.entry|zt_owner/,
  ],
  [
    "another policy's condition",
    "alter policy own_rows on live.analysis using (true)",
    /own_rows \| all \| zt_tenant \| true \(documented/,
    "I1",
  ],
  [
    "a policy for another role",
    "alter policy service on live.usage to zt_service, zt_runtime",
    /service.*zt_runtime/,
  ],
  [
    "a new policy",
    "create policy x on live.api_key for select to zt_tenant using (true)",
    /x \| select \| zt_tenant/,
    "I1",
  ],
  [
    "a policy for the service role",
    "create policy x on live.analysis to zt_service using (true)",
    /zt_service/,
    "I2",
  ],
  ["a policy dropped", "drop policy own_rows on live.analysis", /own_rows/],
  [
    "row security off",
    "alter table live.analysis disable row level security",
    /no row security/,
    "I1",
  ],
  [
    "row security not forced",
    "alter table live.usage no force row level security",
    /NOT forced/,
    "I1",
  ],
  [
    "a new function with definer's rights",
    "create function live.all_of_it() returns setof live.api_key language sql security definer set search_path = pg_catalog, pg_temp begin atomic select * from live.api_key; end",
    /all_of_it/,
    "I2",
  ],
  [
    "one of another's arguments",
    "create function audit.append() returns void language sql security definer set search_path = pg_catalog, pg_temp begin atomic select 1; end; alter function audit.append() owner to zt_service",
    /audit\.append\(\)/,
    "I2",
  ],
  [
    "another body of a function",
    "create or replace function role_admin.close_grant_role(name text) returns integer language sql security definer set search_path = pg_catalog, pg_temp begin atomic select 0; end",
    /close_grant_role/,
  ],
  [
    "the tenant that policies ask for",
    "create or replace function platform.current_tenant() returns uuid language sql stable parallel safe return nullif(current_setting('my.tenant', true), '')::uuid",
    /current_tenant/,
  ],
  [
    "a function that may give an old answer",
    "alter function platform.current_tenant() immutable",
    /current_tenant/,
  ],
  [
    "a function that is told to show less",
    "alter function platform.current_tenant() leakproof",
    /current_tenant/,
  ],
  [
    "an aggregate",
    "create aggregate live.a(integer) (sfunc = int4pl, stype = integer)",
    /live\.a\(integer\)/,
  ],
  [
    "a function for PUBLIC",
    "grant execute on function live.admit_batch to public",
    /admit.*PUBLIC/,
    "I2",
  ],
  [
    "a service function for another role",
    "grant execute on function live.admit_batch to zt_tenant",
    /admit.*zt_tenant/,
    "I2",
  ],
  [
    "a service function for nobody",
    "revoke execute on function live.admit_batch from zt_runtime",
    /admit/,
    "I2",
  ],
  ["no search_path", "alter function live.admit_batch reset search_path", /admit/, "I2"],
  [
    "another search_path",
    "alter function live.admit_batch set search_path = live, pg_catalog",
    /search_path=live/,
    "I2",
  ],
  [
    "another owner of a function",
    "alter function live.admit_batch owner to current_user",
    /admit/,
    "I2",
  ],
  [
    "another owner of a table",
    "alter table live.api_key owner to zt_operator",
    /table of zt_operator/,
  ],
  ["another owner of a schema", "alter schema live owner to zt_admin", /live.*zt_admin/],
  [
    "a member of the service role",
    "grant zt_service to zt_runtime",
    /zt_runtime.*zt_service/,
    "I2",
  ],
  ["a member of an operator's role", "grant zt_operator to zt_runtime", /zt_runtime.*zt_operator/],
  [
    "a member of what makes roles",
    "grant zt_role_admin to zt_migrate",
    /zt_migrate.*zt_role_admin/,
  ],
  [
    "the service role in another",
    "grant zt_operator to zt_service",
    /zt_service.*zt_operator/,
    "I2",
  ],
  ["all data to a role", "grant pg_read_all_data to zt_tenant", /zt_tenant.*pg_read_all_data/],
  [
    "a stranger in the service role",
    "create role mallory; grant zt_service to mallory",
    /mallory.*zt_service/,
    "I2",
  ],
  [
    "a stranger who reads all",
    "create role mallory; grant pg_read_all_data to mallory",
    /mallory.*pg_read_all_data/,
  ],
  [
    "a stranger with a grant",
    "create role mallory; grant usage on schema live to mallory",
    /mallory/,
  ],
  [
    "a stranger who passes row security",
    "create role mallory bypassrls; grant usage on schema live to mallory",
    /mallory.*bypasses/,
    "I2",
  ],
  ["BYPASSRLS", "alter role zt_tenant bypassrls", /zt_tenant.*bypasses row security/, "I2"],
  ["a superuser", "alter role zt_runtime superuser", /zt_runtime.*superuser/, "I2"],
  ["CREATEROLE", "alter role zt_admin createrole", /zt_admin.*makes roles/],
  ["a login", "alter role zt_service login", /zt_service.*yes/, "I2"],
  ["INHERIT", "alter role zt_runtime inherit", /zt_runtime.*inherits/],
  [
    "a role's setting",
    "alter role zt_runtime set session_replication_role = replica",
    /session_replication_role/,
  ],
  ["a time-out taken away", "alter role zt_runtime reset statement_timeout", /zt_runtime/],
  ["another role of the deployment", "create role zt_other", /zt_other/],
  [
    "a grant role that is more",
    "create role zt_grant_abcdefgh bypassrls in role zt_engineer",
    /zt_grant_abcdefgh/,
  ],
  [
    "a grant role with a grant",
    "create role zt_grant_abcdefgh in role zt_engineer; grant select on live.usage to zt_grant_abcdefgh",
    /zt_grant_abcdefgh/,
  ],
  [
    "a table nobody documented",
    "create table live.copy as select * from live.api_key",
    /live\.copy/,
    "I1",
  ],
  [
    "a table of a new column for tenants",
    "create table live.thing (customer uuid)",
    /live\.thing/,
    "I1",
  ],
  [
    "a view of everything",
    "create view live.everything as select * from live.api_key",
    /everything/,
    "I1",
  ],
  ["a schema nobody documented", "create schema loot", /loot/],
  ["a column more", "alter table live.usage add column domain text", /domain/],
  [
    "a primary key dropped",
    "alter table live.batch drop constraint batch_pkey",
    /PRIMARY KEY \(id\) \(documented/,
  ],
  [
    "a foreign key dropped",
    "alter table live.api_key drop constraint api_key_tenant_id_fkey",
    /FOREIGN KEY \(tenant_id\).*\(documented/,
  ],
  [
    "a check that holds no longer",
    "alter table audit.entry drop constraint entry_actor_check",
    /CHECK.*actor.*\(documented/,
  ],
  [
    "a column that may be empty",
    "alter table live.api_key alter digest drop not null",
    /not null \(/,
  ],
  [
    "a trigger",
    "create function live.t() returns trigger language plpgsql as 'begin return new; end'; create trigger t before insert on live.usage for each row execute function live.t()",
    /TRIGGER t/,
  ],
  ["a rule", "create rule r as on insert to live.usage do also nothing", /rule r/],
  ["a sequence", "create sequence live.s; grant usage on sequence live.s to zt_tenant", /live\.s/],
  [
    "set_config for PUBLIC",
    "grant execute on function set_config(text, text, boolean) to public",
    /set_config/,
  ],
  ["statistics for PUBLIC", "grant select on pg_stat_activity to public", /pg_stat/],
  [
    "files for a role",
    "grant execute on function pg_read_file(text) to zt_tenant",
    /pg_read_file.*zt_tenant/,
  ],
  [
    "passwords for a role",
    "grant select (rolpassword) on pg_authid to zt_admin",
    /pg_authid.*zt_admin/,
  ],
  [
    "temporary tables for PUBLIC",
    "do $$ begin execute format('grant temporary on database %I to public', current_database()); end $$",
    /PUBLIC.*temporary/,
  ],
  [
    "a setting for all",
    "do $$ begin execute format('alter database %I set row_security = off', current_database()); end $$",
    /row_security=off/,
  ],
  [
    "what is still to be made",
    "alter default privileges in schema live grant select on tables to zt_tenant",
    /zt_tenant/,
  ],
  ["a publication", "create publication leak for table live.usage", /publication leak/],
  [
    "an event trigger",
    "create function live.e() returns event_trigger language plpgsql as 'begin end'; create event trigger e on ddl_command_end execute function live.e()",
    /event trigger e/,
  ],
  ["a foreign data wrapper", "create foreign data wrapper w", /foreign data wrapper w/],
  [
    "a setting that only superusers may change",
    "grant set on parameter session_replication_role to zt_runtime",
    /parameter session_replication_role: set to zt_runtime/,
  ],
  [
    "a setting for everybody",
    "grant alter system on parameter log_statement to public",
    /parameter log_statement: alter system to PUBLIC/,
  ],
  ["a large object", "select lo_from_bytea(0, 'leak')", /large objects/],
]

for (const major of [18, 15] as const) {
  describe(`privileges on PostgreSQL ${major}`, () => {
    let db: TestDatabase
    before(async () => {
      db = await createDatabase(major)
    })
    after(() => db.drop())

    for (const role of ["zt_migrate", "zt_backup"] as const) {
      it(`are as documented, and ${role} can see that (A2, I1, I2)`, async () => {
        await withClient({ url: db.url }, await credentials(db.secrets, role), async (client) => {
          assert.deepEqual(await checkPrivileges(client), [])
          assert.deepEqual(await checkRowSecurity(client), [])
          assert.deepEqual(await checkServicePaths(client), [])
        })
      })
    }

    for (const [what, sql, message, ...claims] of SABOTAGES) {
      it(`by hand: ${what}`, async () => {
        const found = await db.asSuperuser((client) => afterSabotage(client, sql))
        assert.match(texts(found.A2), message)
        assert.deepEqual(
          [found.I1.length > 0 && "I1", found.I2.length > 0 && "I2"].filter(Boolean),
          claims,
          texts([...found.I1, ...found.I2]),
        )
        assert.ok([...found.A2, ...found.I1, ...found.I2].every(({ isWeakness }) => !isWeakness))
      })
    }

    it("a grant role that is what it should be is no finding", async () => {
      const sql = `select role_admin.open_grant_role('zt_grant_abcdefgh', 'SCRAM-SHA-256$4096:${"A".repeat(22)}==$${"A".repeat(43)}=:${"A".repeat(43)}=', now() + '1 hour')`
      const found = await db.asSuperuser((client) => afterSabotage(client, sql))
      assert.deepEqual(found, { A2: [], I1: [], I2: [] })
    })

    it("no session becomes the service role but the migrator's", async () => {
      const able: string[] = []
      for (const login of LOGINS) {
        await withClient({ url: db.url }, await credentials(db.secrets, login), async (client) => {
          for (const take of ["set role", "set session authorization"]) {
            await client.query(`${take} zt_service`).then(
              () => able.push(`${login}: ${take}`),
              () => {},
            )
          }
        })
      }
      assert.deepEqual(able, ["zt_migrate: set role"])
    })
  })
}

describe("the comparison of two documents", () => {
  const head = "# A\n\n## B\n\n| role | may |\n| --- | --- |\n"
  for (const [because, documented, found, messages] of [
    ["the same text has no finding", "| `x` | a |\n", "| `x` | a |\n", []],
    [
      "a row that changed is one",
      "| `x` | a |\n",
      "| `x` | b |\n",
      ["B x | b (documented: x | a)"],
    ],
    ["a row more", "", "| `x` | a |\n", ["B x | a (not documented)"]],
    ["a row less", "| `x` | a |\n", "", ["B x | a (documented, and not so)"]],
    ["an item in place of none", "- none\n", "- `x`\n", ["B x (not documented)"]],
    ["a row twice is a row", "| `x` | a |\n", "| `x` | a |\n| `x` | a |\n", []],
    [
      "a row under another heading is another",
      "| `x` | a |\n## C\n",
      "## C\n| `x` | a |\n",
      ["C x | a (not documented)", "B x | a (documented, and not so)"],
    ],
    [
      "what follows from the rest comes last",
      "## At a glance\n## C\n",
      "## At a glance\n| `x` | S |\n## C\n| `x` | a |\n",
      ["C x | a (not documented)", "At a glance x | S (not documented)"],
    ],
  ] as const) {
    it(because, () => {
      const findings = compareDocuments(head + documented, head + found)
      assert.deepEqual(
        findings.map(({ subject, message }) => `${subject} ${message}`),
        messages,
      )
    })
  }
})

/** Findings of each claim after `sql`, which is undone: no other test ever sees it. */
async function afterSabotage(client: pg.Client, sql: string) {
  await client.query("begin")
  try {
    await client.query(sql)
    const catalog = await readWithin(client)
    return {
      A2: await findUndocumented(catalog),
      I1: findOpenTables(catalog),
      I2: findStrayPaths(catalog),
    }
  } finally {
    await client.query("rollback")
  }
}

function texts(findings: readonly Finding[]): string {
  return findings.map(({ subject, message }) => `${subject} ${message}`).join("\n")
}
