/** The schema breaks no rule of the lint, and each rule finds what it is for. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type pg from "pg"
import { lintDatabase } from "./database-lint.ts"
import type { TestDatabase } from "./postgres.ts"
import { createDatabase } from "./postgres.ts"

const TABLE = "create table live.t (tenant_id uuid, id uuid, primary key (tenant_id, id));"
const SECURE = "alter table live.t enable row level security;"
const policy = (name: string, rest: string) => `create policy ${name} on live.t ${rest};`
const OWN = "(tenant_id = (select platform.current_tenant()))"

const FIXTURES: readonly (readonly [rule: string, sql: string, found: string])[] = [
  ["row security without a policy", TABLE + SECURE, "live.t"],
  ["policy without row security", TABLE + policy("p", `to zt_tenant using ${OWN}`), "live.t"],
  [
    "policy calls a function for every row",
    TABLE + SECURE + policy("p", "to zt_tenant using (tenant_id = platform.current_tenant())"),
    "live.t: p",
  ],
  [
    "policy calls a function for every row",
    TABLE + SECURE + policy("p", "to zt_tenant using (session_user = 'x')"),
    "live.t: p",
  ],
  [
    "policy calls a function for every row",
    TABLE +
      SECURE +
      policy("p", "for insert to zt_tenant with check (clock_timestamp() > '2026-01-01')"),
    "live.t: p",
  ],
  [
    "policy reads a setting",
    TABLE + SECURE + policy("p", "to zt_tenant using (id = (select current_setting('a.b')::uuid))"),
    "live.t: p",
  ],
  ["policy for everybody", TABLE + SECURE + policy("p", `using ${OWN}`), "live.t: p"],
  [
    "permissive policies overlap",
    TABLE +
      SECURE +
      policy("p", `to zt_tenant using ${OWN}`) +
      policy("q", "for select to zt_tenant, zt_owner using (true)"),
    "live.t: p, q",
  ],
  [
    "definer's rights without a search_path",
    "create function live.f() returns int language sql security definer return 1;",
    "live.f()",
  ],
  [
    "search_path of the caller",
    "create function live.f() returns int language sql as 'select 1';",
    "live.f()",
  ],
  ["granted to everybody", `${TABLE} grant select (id) on live.t to public;`, "live.t"],
  ["granted to everybody", "grant usage on schema live to public;", "live"],
  [
    "granted to everybody",
    "grant execute on function live.admit_batch to public;",
    "live.admit_batch(",
  ],
  ["view with its owner's rights", "create view live.v as select 1;", "live.v"],
  [
    "materialized view or foreign table that others may read",
    "create materialized view live.m as select 1 as x; grant select on live.m to zt_health;",
    "live.m",
  ],
  ["table without a primary key", "create table live.n (i int);", "live.n"],
  [
    "foreign key without an index",
    `${TABLE} create table live.c (tenant_id uuid, t_id uuid, n uuid primary key, foreign key (tenant_id, t_id) references live.t);`,
    "live.c: c_tenant_id_t_id_fkey",
  ],
  [
    "index that is there twice",
    `${TABLE} create index a on live.t (id); create index b on live.t (id);`,
    "live.a, live.b",
  ],
  ["key across tenants", `${TABLE} create unique index u on live.t (id);`, "live.t: live.u"],
  [
    "key across tenants",
    "create table live.k (id uuid primary key, tenant_id uuid);",
    "live.k: k_pkey",
  ],
  ["extension in a schema that people use", "create extension file_fdw;", "extension file_fdw"],
]

for (const major of [18, 15] as const) {
  describe(`lint of the schema on PostgreSQL ${major}`, () => {
    let db: TestDatabase
    before(async () => {
      db = await createDatabase(major)
    })
    after(() => db.drop())

    it("finds nothing", async () => {
      assert.deepEqual(await lint(""), {})
    })

    for (const [rule, sql, name] of FIXTURES) {
      it(`${rule}: ${sql}`, async () => {
        const found = (await lint(sql))[rule]
        assert.ok(
          found?.some((one) => one.startsWith(name)),
          JSON.stringify(found),
        )
      })
    }

    it("finds nothing in what keeps the rules", async () => {
      const good = `${TABLE}${SECURE}${policy("p", `to zt_tenant using ${OWN}`)}
        create view live.v with (security_invoker = true) as select id from live.t;
        create function live.f() returns int language sql return 1;
        revoke execute on function live.f() from public;
        create table live.c (tenant_id uuid, id uuid, t_id uuid, primary key (tenant_id, id),
          foreign key (tenant_id, t_id) references live.t);
        create index on live.c (tenant_id, t_id)`
      assert.deepEqual(await lint(good), {})
    })

    /** Of the schema after `sql`, which is undone. */
    const lint = (sql: string) =>
      db.asSuperuser(async (client: pg.Client) => {
        await client.query(`begin; ${sql}`)
        try {
          return await lintDatabase(client)
        } finally {
          await client.query("rollback")
        }
      })
  })
}
