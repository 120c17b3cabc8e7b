/** What is deleted, what stays, and that figures stay equal to the charge; on a real database. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { insertTenant } from "../../test/tenant.ts"
import { addUsageDays } from "../../test/usage-days.ts"
import { newUuid } from "../core/ids.ts"
import type { Database } from "../db/database.ts"
import { Maintenance } from "./maintenance.ts"
import { readUsage, reportOf } from "./report.ts"

const DAY_MS = 86_400_000
const now = () => Date.now()

for (const major of [18, 15] as const) {
  describe(`retention on PostgreSQL ${major}`, () => {
    const tenant = newUuid()
    let db: TestDatabase
    before(async () => {
      db = await createDatabase(major)
      await db.admin.asOperator(async (tx) => {
        await tx.query("insert into platform.plan (name, retention_days) values ('brief', 2)")
        await insertTenant(tx, tenant)
        await tx.query("update platform.tenant set plan = 'brief' where id = $1", [tenant])
      })
    })
    after(() => db.drop())
    const query = (text: string, values: readonly unknown[] = []) =>
      db.asSuperuser(async (client) => (await client.query(text, [...values])).rows)
    const keeper = (failed = (error: unknown) => assert.fail(String(error)), rowsAtOnce = 7) =>
      new Maintenance({ database: db.database, now, failed, rowsAtOnce })
    const counted = async (table: string) =>
      (await query(`select count(*)::int as rows from ${table}`))[0].rows

    it("usage rows go by the plan's days, and what they add up to stays", async () => {
      await db.asSuperuser((client) => addUsageDays(client, 14))
      await query("update live.usage_progress set closed_to = $1", [
        new Date(Math.floor((now() - 13 * DAY_MS) / DAY_MS) * DAY_MS),
      ])
      // 100 rows, one each 3 hours back from now: of 12.5 days, some of another month.
      await query(
        `insert into live.usage (tenant_id, request_id, key_id, at, route, status, units, plan)
          select $1, gen_random_uuid(), $1, now() - n * interval '3 hours', 1,
            case n % 4 when 0 then 429 when 1 then null else 200 end, (n % 4 > 0)::int, 'brief'
          from generate_series(0, 99) n`,
        [tenant],
      )
      const months = [0, 13].map((days) =>
        new Date(now() - days * DAY_MS).toISOString().slice(0, 7),
      )
      const reports = () =>
        Promise.all(
          [...new Set(months)].map(async (month) =>
            reportOf(
              await db.database.asTenant("live", tenant, (tx) => readUsage(tx, "live", month)),
            ),
          ),
        )
      const earlier = await reports()
      assert.equal(
        earlier.reduce((sum, { total }) => sum + total.requests, 0),
        100,
      )
      await keeper().look()
      const [left] = await query(
        `select count(*)::int as rows,
            min(at) >= date_trunc('day', now() - interval '2 days', 'UTC') as kept from live.usage`,
      )
      assert.ok(left.rows >= 16 && left.rows <= 24, `${left.rows} rows of 2 to 3 days`)
      assert.ok(left.kept)
      assert.deepEqual(await reports(), earlier)
      assert.equal(await keeper().look(), 0, "again is harmless")
    })

    it("a day that is half closed is told from hours and rows, once each", async () => {
      await db.asSuperuser((client) => addUsageDays(client, 4, 4))
      const day = new Date(Math.floor(now() / DAY_MS - 4) * DAY_MS)
      await query("delete from live.usage; delete from live.usage_day; delete from live.usage_hour")
      await query("update live.usage_progress set closed_to = $1::timestamptz", [day])
      await query(
        `insert into live.usage (tenant_id, request_id, key_id, at, route, status, units, plan)
          select $1, gen_random_uuid(), $1, $2::timestamptz + n * interval '1 h', 1, 200, 1, 'brief'
          from generate_series(0, 23) n`,
        [tenant, day],
      )
      const read = async () =>
        (
          await db.database.asTenant("live", tenant, (tx) =>
            readUsage(tx, "live", day.toISOString().slice(0, 7)),
          )
        ).lines
      const earlier = await read()
      assert.equal(earlier[0]?.requests, 24)
      await db.database.callAside("select live.roll_up_usage()")
      assert.deepEqual(await read(), earlier)
      // As it was at noon.
      const noon = new Date(day.getTime() + DAY_MS / 2)
      await query("update live.usage_progress set closed_to = $1", [noon])
      await query("delete from live.usage_hour where hour >= $1", [noon])
      await query("delete from live.usage_day")
      assert.deepEqual(await read(), earlier)
      await db.database.callAside("select live.roll_up_usage()")
      assert.deepEqual(await read(), earlier)
      await query("delete from live.usage; delete from live.usage_day; delete from live.usage_hour")
    })

    it("observations go when they have expired, idle rates after an hour, and batches after 90 minutes", async () => {
      await query(
        `insert into live.analysis (tenant_id, id, domain_index, observed_at, expires_at, sealed)
          select $1, gen_random_uuid(), decode(md5('x'), 'hex'), now(), now() + n * interval '1 minute', ''
          from generate_series(-9, 10) n`,
        [tenant],
      )
      await query(
        `insert into sandbox.batch (id, at, tenants)
          select gen_random_uuid(), now() - n * interval '20 minutes', '{}' from generate_series(0, 9) n`,
      )
      const second = 1_000_000
      for (const [holder, ago] of [
        ["idle", 7_200],
        ["recent", 60],
        ["ahead of its rate for a day", -DAY_MS / 1000],
      ] as const) {
        const at = now() * 1_000 - ago * second
        await query("insert into live.rate values ($1, md5($2)::uuid, $3, $4)", [
          tenant,
          holder,
          Math.floor((now() * 1_000 - 7_200 * second) / 5_000_000),
          at,
        ])
      }
      assert.equal(await keeper().look(), 10 + 5 + 1)
      assert.deepEqual(
        [
          await counted("live.analysis"),
          await counted("sandbox.batch"),
          await counted("live.rate"),
        ],
        [10, 5, 2],
      )
    })

    it("unknown keys are counted by minute, and kept for 30 days", async () => {
      const count = (ago: number, n: number) =>
        db.database.call("select live.count_unknown_keys($1, $2)", [
          new Date(Math.floor((now() - ago) / 60_000) * 60_000),
          n,
        ])
      await count(0, 5)
      await count(0, 6)
      await count(31 * DAY_MS, 7)
      assert.equal(await keeper().look(), 1)
      assert.deepEqual(await query("select requests::int from live.unknown_key"), [
        { requests: 11 },
      ])
    })

    it("leaves to another instance what that is at", async () => {
      await query(
        "insert into sandbox.batch values (gen_random_uuid(), now() - interval '2 h', '{}')",
      )
      await db.asSuperuser(async (client) => {
        await client.query("begin")
        await client.query("select from platform.maintenance_turn for update")
        assert.equal(await keeper().look(), 0)
        await client.query("rollback")
      })
      assert.equal(await keeper().look(), 1)
    })

    it("no one row of it may the API's login reach or delete itself", async () => {
      for (const statement of ["delete from live.usage", "select from live.usage_day"]) {
        await assert.rejects(db.database.call(statement), { code: "42501" })
      }
    })
  })
}

describe("health of maintenance", () => {
  it("says when it failed, and when that is over", async () => {
    let broken = true
    const told: unknown[] = []
    const database: Pick<Database, "callAside"> = {
      async callAside() {
        if (broken) throw new Error("away")
        return []
      },
    }
    const at = Date.parse("2026-11-25T00:00:00.000Z")
    const maintenance = new Maintenance({ database, now: () => at, failed: (e) => told.push(e) })
    assert.equal((await maintenance.probe()).state, "ok")
    await maintenance.look()
    const { state, message } = await maintenance.probe()
    assert.equal(state, "degraded")
    assert.match(message, /^Maintenance failed at 2026-11-25T00:00:00.000Z/)
    assert.equal(told.length, 1)
    broken = false
    await maintenance.look()
    assert.deepEqual(await maintenance.probe(), {
      state: "ok",
      message: "expired data was deleted at 2026-11-25T00:00:00.000Z",
    })
  })
})
