/** What the database finds: quotas and ending keys told once, at the threshold and not before. */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { after, before, describe, it } from "node:test"
import type pg from "pg"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { insertTenant } from "../../test/tenant.ts"
import { newUuid } from "../core/ids.ts"

const MONTH = "date_trunc('month', now() at time zone 'UTC')::date"

for (const major of [18, 15] as const) {
  describe(`found on PostgreSQL ${major}`, () => {
    let db: TestDatabase
    let superuser: pg.Client
    let leave: () => void
    before(async () => {
      db = await createDatabase(major)
      await new Promise<void>((ready) => {
        void db.asSuperuser(async (client) => {
          superuser = client
          ready()
          await new Promise<void>((left) => {
            leave = left
          })
        })
      })
    })
    after(async () => {
      leave()
      await db.drop()
    })
    const query = async (text: string, values: readonly unknown[] = []) =>
      (await superuser.query(text, [...values])).rows
    const find = async (what: string, schema = "live"): Promise<number | null> => {
      const [row] = await db.database.callAside<{ n: number | null }>(
        `select ${schema}.find_events($1) as n`,
        [what],
      )
      return row?.n ?? null
    }
    const kinds = async (tenant: string): Promise<string[]> =>
      (await query("select kind from live.event where tenant_id = $1 order by id", [tenant])).map(
        ({ kind }) => kind,
      )
    /** A tenant on a plan of its own. */
    const makeTenant = async (units: number | null, more = "") => {
      const tenant = newUuid()
      const plan = `p${tenant.replaceAll("-", "").slice(0, 30)}`
      await query(`insert into platform.plan (name, units_per_month) values ($1, $2)`, [
        plan,
        units,
      ])
      if (more !== "") await query(`update platform.plan set ${more} where name = $1`, [plan])
      await db.admin.asOperator(async (tx) => {
        await insertTenant(tx, tenant)
        await tx.query("update platform.tenant set plan = $2 where id = $1", [tenant, plan])
      })
      const setUnits = (to: number) =>
        query("update platform.plan set units_per_month = $2 where name = $1", [plan, to])
      return { tenant, plan, setUnits }
    }
    /** As admission charges. */
    const charge = (tenant: string, units: number, schema = "live") =>
      query(
        `insert into ${schema}.charge (tenant_id, month, version, units) values ($1, ${MONTH}, 1, $2)
          on conflict (tenant_id, month, version) do update set units = excluded.units`,
        [tenant, units],
      )

    describe("quotas", () => {
      for (const [units, used, expected, because] of [
        [10, 7, [], "7 of 10"],
        [10, 8, ["quota_80"], "8 of 10"],
        [10, 9, ["quota_80"], "9 of 10"],
        [10, 10, ["quota_80", "quota_100"], "all of it, seen at once"],
        [10, 12, ["quota_80", "quota_100"], "12 of 10, before units are given back"],
        [3, 2, [], "2 of 3 is 67 %"],
        [1, 1, ["quota_80", "quota_100"], "the only one"],
        [5e12, 4e12, ["quota_80"], "beyond 32 bits"],
        [null, 1e9, [], "no limit"],
        [0, 1, [], "nothing to use up"],
      ] as const) {
        it(`${expected.join(" and ") || "nothing"}: ${because}`, async () => {
          const { tenant } = await makeTenant(units)
          await charge(tenant, used)
          await find("quota")
          assert.deepEqual(await kinds(tenant), expected)
          await find("quota")
          assert.deepEqual(await kinds(tenant), expected, "once a month")
        })
      }

      it("says the month and the units", async () => {
        const { tenant } = await makeTenant(10)
        await charge(tenant, 9)
        await find("quota")
        const [{ detail }] = await query("select detail from live.event where tenant_id = $1", [
          tenant,
        ])
        const month = new Date().toISOString().slice(0, 7)
        assert.deepEqual(detail, { month, units: 9, per_month: 10 })
      })

      it("is armed again by more units than any telling had, and by no others", async () => {
        const { tenant, setUnits } = await makeTenant(10)
        await charge(tenant, 10)
        const both = ["quota_80", "quota_100"]
        const look = async (units: number) => {
          await setUnits(units)
          await find("quota")
          return kinds(tenant)
        }
        assert.deepEqual(await look(10), both)
        assert.deepEqual(await look(5), both, "fewer")
        assert.deepEqual(await look(10), both, "the same again")
        assert.deepEqual(await look(100), both, "more, of which little is used")
        await charge(tenant, 85)
        assert.deepEqual(await look(100), [...both, "quota_80"])
      })

      it("a month that is over, and a plan without alerts, tell nothing", async () => {
        const { tenant } = await makeTenant(10)
        await query(
          `insert into live.charge (tenant_id, month, version, units) values ($1, ${MONTH} - interval '1 month', 1, 99)`,
          [tenant],
        )
        const silent = await makeTenant(10, "alerts = false")
        await charge(silent.tenant, 10)
        await find("quota")
        assert.deepEqual([await kinds(tenant), await kinds(silent.tenant)], [[], []])
      })

      it("of several instances one looks, and together they tell once", async () => {
        const { tenant } = await makeTenant(10)
        await charge(tenant, 8)
        await Promise.all(Array.from({ length: 8 }, () => find("quota")))
        assert.deepEqual(await kinds(tenant), ["quota_80"])
        await db.asSuperuser(async (client) => {
          await client.query("begin")
          await client.query(
            "select from platform.maintenance_turn where task = 'live.event' for update",
          )
          assert.equal(await find("quota"), null)
          await client.query("rollback")
        })
      })
    })

    describe("keys that end", () => {
      for (const [lives, endsIn, more, expected, because] of [
        ["30 days", "8 days", "", [], "in 8 days"],
        ["30 days", "6 days", "", [7], "in 6 days"],
        ["30 days", "20 hours", "", [1], "in 20 hours: the week is over, the day is told"],
        ["30 days", "-1 hours", "", [], "ended"],
        ["3 days", "2 days", "", [], "a life of 3 days is not told of a week before its end"],
        ["3 days", "5 hours", "", [1], "but a day before"],
        ["12 hours", "2 hours", "", [], "a life shorter than a day"],
        ["30 days", "6 days", "revoked_at = now()", [], "revoked"],
        ["30 days", "6 days", "disabled_at = now()", [], "disabled"],
        ["30 days", "6 days", "replaced_by = id", [], "rotated: its end is the overlap's"],
        ["30 days", null, "", [], "without end"],
      ] as const) {
        it(`${expected.join(" and ") || "nothing"}: ${because}`, async () => {
          for (const schema of ["live", "sandbox"]) {
            const { tenant } = await makeTenant(null)
            const key = await insertKey(query, schema, tenant)
            await query(
              `update ${schema}.api_key set expires_at = now() + $2::interval,
                created_at = now() + coalesce($2::interval, '0') - $3::interval where id = $1`,
              [key, endsIn, lives],
            )
            if (more !== "")
              await query(`update ${schema}.api_key set ${more} where id = $1`, [key])
            const told = async () => {
              await find("expiry", schema)
              const rows = await query(
                `select key_id, kind, (detail ->> 'days')::int as days, detail ->> 'expires_at' as ends
                  from ${schema}.event where tenant_id = $1`,
                [tenant],
              )
              for (const { key_id, kind, ends } of rows) {
                assert.deepEqual([key_id, kind], [key, "key_expiring"])
                assert.equal(new Date(ends).toISOString(), ends)
              }
              return rows.map(({ days }) => days)
            }
            assert.deepEqual(await told(), expected)
            assert.deepEqual(await told(), expected, "once")
          }
        })
      }

      it("is told again of another end", async () => {
        const { tenant } = await makeTenant(null)
        const key = await insertKey(query, "live", tenant)
        for (const days of [6, 5]) {
          await query(
            `update live.api_key set expires_at = now() + make_interval(days => $2),
              created_at = now() - interval '30 days' where id = $1`,
            [key, days],
          )
          await find("expiry")
        }
        assert.deepEqual(await kinds(tenant), ["key_expiring", "key_expiring"])
      })
    })

    it("events go when the plan's retention is over", async () => {
      const { tenant } = await makeTenant(10, "retention_days = 2")
      await query(
        `insert into live.event (tenant_id, kind, at, occasion, detail)
          select $1, 'key_sent_in_clear', now() - n * interval '1 day', n::text, '{}' from generate_series(0, 4) n`,
        [tenant],
      )
      assert.equal(await find("retention"), 3)
      assert.equal((await kinds(tenant)).length, 2)
    })
  })
}

async function insertKey(
  query: (text: string, values: readonly unknown[]) => Promise<unknown>,
  schema: string,
  tenant: string,
): Promise<string> {
  const id = newUuid()
  await query(
    `insert into ${schema}.api_key (tenant_id, id, sealed_name, index8, digest)
      values ($1, $2, '', 'abcdefgh', $3)`,
    [tenant, id, randomBytes(32)],
  )
  return id
}
