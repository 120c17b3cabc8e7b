/** Partitions of usage: there before they are needed, secured, and nobody waits for them. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type pg from "pg"
import { emptyDatabase } from "../../test/backup.ts"
import { memorySecrets } from "../../test/memory-secrets.ts"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { addUsageDays } from "../../test/usage-days.ts"
import { Admission } from "../admission/admission.ts"
import { readWithin } from "../controls/catalog.ts"
import { findUndocumented } from "../controls/privileges.ts"
import { findOpenTables } from "../controls/row-security.ts"
import { findStrayPaths } from "../controls/service-paths.ts"
import { newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import { credentials, withClient } from "../db/connection.ts"
import { loadMigrations, migrate } from "../db/migrator.ts"
import { readKey } from "../keys/format.ts"
import { issueKey } from "../keys/keys.ts"
import { Keyring } from "../secrets/keyring.ts"
import { Maintenance } from "./maintenance.ts"
import { DAYS_AHEAD, READ_DAYS_AHEAD } from "./partitions.ts"

const DAY_MS = 86_400_000

for (const major of [18, 15] as const) {
  describe(`partitions of usage on PostgreSQL ${major}`, () => {
    let db: TestDatabase
    let admission: Admission
    let key: string
    before(async () => {
      db = await createDatabase(major)
      const keyring = await Keyring.open(memorySecrets())
      const options = { tenant: "a", environment: "live", name: "k", actor: "test" } as const
      key = (await db.admin.asOperator((tx) => issueKey(tx, keyring, options))).key
      admission = new Admission(db.database, "live")
    })
    after(() => db.drop())

    const keeper = (now = Date.now) =>
      new Maintenance({ database: db.database, now, failed: (error) => assert.fail(String(error)) })
    const ask = () =>
      new Promise((resolve) => {
        const parts = readKey(key)
        assert.ok(parts)
        const outcome = { status: 200, latencyBucket: 0, cacheHit: true }
        const arrival = { ...parts, requestId: newUuid(), route: 1, cost: 1, scope: 1, outcome }
        admission.admit(arrival, (result) =>
          resolve(result instanceof Problem ? result.code : "ok"),
        )
      })
    /** The day's partition: 1 is tomorrow's. */
    const partOf = (days: number, schema = "live") =>
      `${schema}.usage_${new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10).replaceAll("-", "")}`
    const daysAhead = async (client: pg.ClientBase) =>
      (await client.query<{ days: number }>(READ_DAYS_AHEAD)).rows[0]?.days
    const isThere = async (client: pg.ClientBase, table: string) =>
      (await client.query("select to_regclass($1) is not null as yes", [table])).rows[0].yes
    /** Looks, and undoes what the transaction did. */
    const controls = async (client: pg.Client) => {
      const catalog = await readWithin(client)
      await client.query("rollback")
      return [
        ...(await findUndocumented(catalog)),
        ...findOpenTables(catalog),
        ...findStrayPaths(catalog),
      ]
    }

    it("midnight after midnight finds one, to the microsecond, and secured as the parent", () =>
      db.asSuperuser(async (client) => {
        // As if nothing had been made for a week.
        for (let day = 1; day <= DAYS_AHEAD; day++) {
          await client.query(`drop table if exists ${partOf(day)}`)
        }
        assert.equal(await daysAhead(client), 0)
        await keeper().extend()
        assert.equal(await daysAhead(client), 2, "as a start does, which is not to take long")
        await keeper().look()
        assert.equal(await daysAhead(client), DAYS_AHEAD)
        await client.query("begin; set local role zt_service")
        const { rows } = await client.query(
          `insert into live.usage (tenant_id, request_id, key_id, at, route, units, plan)
            select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), moment, 1, 0, ''
            from generate_series(-1, ${DAYS_AHEAD}) day,
              lateral (values (date_trunc('day', now(), 'UTC') + day * interval '24 hours'),
                (date_trunc('day', now(), 'UTC') + (day + 1) * interval '24 hours' - interval '1 us')
              ) as border(moment)
            returning at`,
        )
        assert.equal(rows.length, 2 * (DAYS_AHEAD + 2))
        await client.query("rollback; begin")
        assert.deepEqual(await controls(client), [])
      }))

    it("rows that there were before are kept, each in its day, and counted", async () => {
      const empty = await emptyDatabase(major)
      const { address, secrets } = empty
      const all = await loadMigrations()
      const before = all.findIndex(({ name }) => name.endsWith("_usage_by_day"))
      await withClient(address, await credentials(secrets, "zt_migrate"), async (client) => {
        await migrate(client, all.slice(0, before))
        await client.query(
          `insert into live.usage (tenant_id, request_id, key_id, at, route, status, units, plan)
            select md5('t')::uuid, gen_random_uuid(), md5('k')::uuid, now() - n * interval '11 hours',
              1, 200, n, 'unlimited' from generate_series(0, 30) n`,
        )
        await client.query(
          "insert into live.usage_day values (md5('t')::uuid, now() - interval '20 days', md5('k')::uuid, 1, 200, 5, 7)",
        )
        const rows = "select * from live.usage order by at"
        const earlier = (await client.query(rows)).rows
        await migrate(client, all)
        assert.deepEqual((await client.query(rows)).rows, earlier)
        const { rows: parts } = await client.query(
          "select count(distinct tableoid)::int as used, bool_or(tableoid = 'live.usage'::regclass) as parent from live.usage",
        )
        assert.ok(parts[0].used >= 14 && !parts[0].parent)
      })
      await empty.asSuperuser(async (client) => {
        while ((await client.query("select live.roll_up_usage() as n")).rows[0].n > 0);
        const { rows } = await client.query(
          `select sum(requests)::int as requests, sum(units)::int as units from (
            select requests, units from live.usage_day
            union all select requests, units from live.usage_hour, live.usage_progress
              where hour >= date_trunc('day', closed_to, 'UTC')
            union all select 1, units from live.usage, live.usage_progress where at >= closed_to) x`,
        )
        assert.deepEqual(rows, [{ requests: 31 + 5, units: (30 * 31) / 2 + 7 }])
      })
      await empty.drop()
    })

    it("instances that make them at once make each once", async () => {
      await db.asSuperuser(async (client) => {
        for (let day = 1; day <= DAYS_AHEAD; day++) {
          await client.query(`drop table if exists ${partOf(day, "sandbox")}`)
        }
        await Promise.all([1, 2, 3, 4].map(() => keeper().extend(DAYS_AHEAD)))
        assert.equal(await daysAhead(client), DAYS_AHEAD)
      })
    })

    it("neither making nor dropping one waits for a reader, and no admission for them", () =>
      db.asSuperuser(async (reader) => {
        await addUsageDays(reader, 500, 500)
        await reader.query("update live.usage_progress set closed_to = date_trunc('hour', now())")
        await reader.query(`drop table ${partOf(5)}`)
        // A backup's snapshot, an export, an operator who has gone for lunch.
        await reader.query("begin isolation level repeatable read; select count(*) from live.usage")
        const maintenance = keeper()
        let done = false
        const looking = maintenance.look().finally(() => {
          done = true
        })
        const answers = new Set<unknown>()
        while (!done) answers.add(await ask())
        await looking
        assert.deepEqual([...answers], ["ok"])
        assert.equal(await daysAhead(reader), DAYS_AHEAD, "made while it reads")
        assert.ok(await isThere(reader, partOf(-500)), "not dropped while it reads")
        assert.equal((await maintenance.probe()).state, "ok")
        await reader.query("commit")
        await maintenance.look()
        assert.ok(!(await isThere(reader, partOf(-500))), "dropped afterwards")
      }))

    it("health tells of a reader that is never done", () =>
      db.asSuperuser(async (reader) => {
        await addUsageDays(reader, 500, 500)
        await reader.query("begin; select count(*) from live.usage")
        let at = Date.now()
        const maintenance = keeper(() => at)
        await maintenance.look()
        at += DAY_MS + 1
        await maintenance.look()
        const { state, message } = await maintenance.probe()
        assert.equal(state, "degraded")
        assert.match(message, /cannot be dropped since 2.*: a session of the database reads them/)
        await reader.query("commit")
      }))

    it("what is not added up yet is not dropped", () =>
      db.asSuperuser(async (client) => {
        await addUsageDays(client, 500, 500)
        await client.query("update live.usage_progress set closed_to = now() - interval '500 days'")
        const [row] = await db.database.callAside<{ day: unknown }>(
          "select live.drop_expired_usage() as day",
        )
        assert.equal(row?.day, null)
        assert.ok(await isThere(client, partOf(-500)))
        await client.query("update live.usage_progress set closed_to = date_trunc('hour', now())")
      }))

    for (const [what, sql, finding] of [
      ["lacks forced row security", "alter table $ no force row level security", /not forced/],
      ["lacks row security", "alter table $ disable row level security", /without row security/],
      ["lacks a policy", "drop policy own_rows on $", /not documented/],
      ["has another condition", "alter policy own_rows on $ using (true)", /others' rows/],
      ["is granted to a customer", "grant insert on $ to zt_tenant", /insert/],
      ["has a column granted", "grant update (plan) on $ to zt_service", /plan/],
      ["has another owner", "alter table $ owner to zt_admin", /zt_admin/],
      [
        "has a policy for the service role more",
        "create policy x on $ to zt_service using (true)",
        /live\.usage: x is a policy for zt_service/,
      ],
    ] as const) {
      it(`the controls find one that ${what}`, () =>
        db.asSuperuser(async (client) => {
          await client.query(`begin; ${sql.replace("$", partOf(3))}`)
          const found = await controls(client)
          assert.ok(found.some(({ subject }) => subject === partOf(3)))
          assert.match(
            found.map(({ subject, message }) => `${subject} ${message}`).join("\n"),
            finding,
          )
        }))
    }
  })
}

describe("health of partitions", () => {
  for (const [days, state, words] of [
    [7, "ok", /^expired data was deleted/],
    [2, "ok", /^expired data/],
    [1, "degraded", /^Usage rows have partitions until tomorrow alone/],
    [0, "degraded", /^Usage rows have partitions until today alone/],
    [-1, "degraded", /^Usage rows of today have no partition, so that requests get 503/],
  ] as const) {
    it(`${days} days ahead is ${state}`, async () => {
      const database = {
        callAside: async (text: string) => (text === READ_DAYS_AHEAD ? [{ days }] : []) as never[],
      }
      const maintenance = new Maintenance({
        database,
        now: Date.now,
        failed: (error) => assert.fail(String(error)),
      })
      await maintenance.look()
      const probe = await maintenance.probe()
      assert.equal(probe.state, state)
      assert.match(probe.message, words)
    })
  }
})
