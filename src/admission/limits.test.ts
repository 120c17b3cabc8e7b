/** Quotas and rates of the admission statement, over several instances on a real database. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { memorySecrets } from "../../test/memory-secrets.ts"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import { credentials } from "../db/connection.ts"
import type { Environment } from "../db/database.ts"
import { openDatabase } from "../db/pool.ts"
import { readKey } from "../keys/format.ts"
import { issueKey } from "../keys/keys.ts"
import { Keyring } from "../secrets/keyring.ts"
import { Admission } from "./admission.ts"
import type { Arrival, Limits } from "./batch.ts"

interface Asked {
  readonly code: string
  readonly problem: Problem | undefined
  readonly limits: Limits | undefined
  readonly requestId: string
  readonly tenantId: string
  readonly admittedAt: string
}

for (const major of [18, 15] as const) {
  describe(`quota and rate on PostgreSQL ${major}`, () => {
    let db: TestDatabase
    let keyring: Keyring
    let instances: Admission[]
    const pools: { close(): Promise<void> }[] = []
    before(async () => {
      db = await createDatabase(major)
      keyring = await Keyring.open(memorySecrets())
      const runtime = await credentials(db.secrets, "zt_runtime")
      instances = [1, 2, 3].map(() => {
        const options = { address: { url: db.url }, credentials: runtime, onUnreachable: () => {} }
        const pool = openDatabase(options, 5)
        pools.push(pool)
        return new Admission(pool, "live")
      })
    })
    after(async () => {
      await Promise.all(pools.map((pool) => pool.close()))
      await db.drop()
    })

    /** @param plan - Columns of a plan of its own. */
    const tenant = async (
      plan: Record<string, number | boolean>,
      environment: Environment = "live",
    ) => {
      const name = `p${newUuid()}`
      const issued = await db.admin.asOperator(async (tx) => {
        const columns = Object.keys(plan)
        await tx.query(
          `insert into platform.plan (name, ${columns}) values ($1, ${columns.map((_, n) => `$${n + 2}`)})`,
          [name, ...Object.values(plan)],
        )
        const key = await issueKey(tx, keyring, {
          tenant: name,
          environment,
          name: "k",
          actor: "test",
        })
        await tx.query("update platform.tenant set plan = $1 where id = $2", [
          name,
          await idOf(key.tenant),
        ])
        return key.key
        async function idOf(text: string) {
          const [row] = await tx.query<{ id: string }>(
            "select id from platform.tenant where name_index = any ($1)",
            [keyring.deployment.indexes("platform.tenant.name", text)],
          )
          return row?.id ?? ""
        }
      })
      return { key: issued, plan: name }
    }
    const ask = (instance: number, key: string, more: Partial<Arrival> = {}): Promise<Asked> => {
      const parts = readKey(key)
      assert.ok(parts)
      const requestId = newUuid()
      const admission = instances[instance % instances.length]
      const caller = admission?.callerOf(parts.digest)
      return new Promise((resolve) =>
        admission?.admit(
          { ...parts, caller, requestId, route: 1, cost: 1, scope: 1, ...more },
          (result, admittedAt, limits) => {
            const problem = result instanceof Problem ? result : undefined
            const tenantId = result instanceof Problem ? "" : result.tenantId
            const code = problem?.code ?? "served"
            resolve({ code, problem, limits, requestId, tenantId, admittedAt })
          },
        ),
      )
    }
    const served = { status: 200, latencyBucket: 0, cacheHit: true }
    const many = (n: number, key: string, more: Partial<Arrival> = {}) =>
      Promise.all(Array.from({ length: n }, (_, i) => ask(i, key, { outcome: served, ...more })))
    const count = (all: readonly Asked[], code = "served") =>
      all.filter((one) => one.code === code).length
    const charged = async (tenantId: string) => {
      const sums = await db.asSuperuser(async (client) => {
        const { rows } = await client.query(
          `select (select coalesce(sum(units), 0)::int from live.usage where tenant_id = $1) as rows,
            (select coalesce(sum(units), 0)::int from live.charge where tenant_id = $1) as counted`,
          [tenantId],
        )
        return rows[0]
      })
      return [sums.rows, sums.counted]
    }
    const change = (text: string, values: unknown[]) =>
      db.asSuperuser((client) => client.query(text, values))

    it("n at once against m units over three instances serve exactly m, and are charged m", async () => {
      const { key } = await tenant({ units_per_month: 100 })
      const all = await many(400, key)
      assert.equal(count(all), 100)
      assert.equal(count(all, "QUOTA_EXCEEDED"), 300)
      const tenantId = all.find(({ code }) => code === "served")?.tenantId ?? ""
      assert.deepEqual(await charged(tenantId), [100, 100])
      const refused = all.find(({ code }) => code === "QUOTA_EXCEEDED")
      assert.equal(refused?.limits?.quota?.left, 0)
      const now = new Date()
      const month = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)
      const off = (month - now.getTime()) / 1000 - (refused?.problem?.retryAfterSeconds ?? 0)
      assert.ok(Math.abs(off) < 60, "Retry-After leads into the next month")
    })

    it("what ends with 400 or more gives its unit back, once", async () => {
      const { key } = await tenant({ units_per_month: 2 })
      const one = await ask(0, key)
      const two = await ask(1, key)
      assert.equal((await ask(2, key)).code, "QUOTA_EXCEEDED")
      const end = { ...one, status: 503, latencyBucket: 1, cacheHit: false }
      await instances[0]?.finish(end)
      await instances[1]?.finish(end)
      assert.deepEqual(await charged(one.tenantId), [1, 1])
      await instances[1]?.finish({ ...two, ...served })
      assert.deepEqual(await charged(one.tenantId), [1, 1])
      assert.equal(count(await many(4, key)), 1)
    })

    it("a request that does not validate costs nothing; one without cost needs no unit", async () => {
      const { key } = await tenant({ units_per_month: 1 })
      const invalid = { status: 400, latencyBucket: 0, cacheHit: false }
      assert.equal(count(await many(3, key, { outcome: invalid })), 3)
      assert.equal(count(await many(3, key)), 1)
      assert.equal(count(await many(3, key, { cost: 0 })), 3)
    })

    it("a month's charge is one row, of which a new version takes the place before it is long", async () => {
      const { key } = await tenant({ units_per_month: 130, requests_per_second: 1000, burst: 1000 })
      const { tenantId } = await ask(0, key, { outcome: served })
      for (let n = 0; n < 120; n++) await ask(n, key, { outcome: served })
      for (const [table, units] of [
        ["charge", "units"],
        ["rate", "0"],
      ]) {
        const { rows } = await change(
          `select version::int, changes, ${units}::int as units from live.${table} where tenant_id = $1`,
          [tenantId],
        )
        assert.deepEqual(rows, [{ version: 2, changes: 18, units: table === "charge" ? 121 : 0 }])
      }
      assert.equal(count(await many(20, key)), 9)
      assert.deepEqual(await charged(tenantId), [130, 130])
    })

    it("a new version of it counts what was given back, in the same batch", async () => {
      const { key } = await tenant({ soft: true })
      const [one, two] = [await ask(0, key), await ask(0, key)]
      await change("update live.charge set changes = 49 where tenant_id = $1", [one.tenantId])
      await Promise.all([
        instances[0]?.finish({ ...one, status: 503, latencyBucket: 1, cacheHit: false }),
        ask(0, key, { outcome: served }),
      ])
      const { rows } = await change(
        "select version::int, units::int from live.charge where tenant_id = $1",
        [one.tenantId],
      )
      assert.deepEqual(rows, [{ version: 1, units: 2 }])
      await instances[1]?.finish({ ...two, status: 503, latencyBucket: 1, cacheHit: false })
      assert.deepEqual(await charged(one.tenantId), [1, 1])
    })

    it("last month's units are last month's", async () => {
      const { key } = await tenant({ units_per_month: 3 })
      const [one] = await many(3, key)
      await change(
        "update live.charge set month = month - interval '1 month' where tenant_id = $1",
        [one?.tenantId],
      )
      assert.equal(count(await many(9, key)), 3)
    })

    it("a change of the plan holds from the next request, and what was used stays", async () => {
      const { key, plan } = await tenant({ units_per_month: 2 })
      assert.equal(count(await many(5, key)), 2)
      await db.admin.asOperator((tx) =>
        tx.query("update platform.plan set units_per_month = 6 where name = $1", [plan]),
      )
      assert.equal(count(await many(9, key)), 4)
    })

    it("tells what is left for a tenant's keys, and for a key with a rate of its own", async () => {
      const { key } = await tenant({ units_per_month: 9, requests_per_second: 1, burst: 5 })
      await ask(0, (await tenant({ soft: true })).key) // the last answer refuses nobody
      const all = await Promise.all([ask(0, key), ask(0, key)])
      const left = { rate: { perSecond: 1, burst: 5, left: 3 }, quota: { perMonth: 9, left: 7 } }
      assert.deepEqual(
        all.map(({ limits }) => limits),
        [left, left],
      )
      const own = "update live.api_key set requests_per_second = 1, burst = 1 where tenant_id = $1"
      await change(own, [all[0]?.tenantId])
      assert.deepEqual((await ask(0, key)).limits, {
        rate: { perSecond: 1, burst: 1, left: 0 },
        quota: { perMonth: 9, left: 6 },
      })
    })

    it("past a soft limit all are served and counted", async () => {
      const { key } = await tenant({ units_per_month: 2, soft: true })
      const all = await many(5, key)
      assert.equal(count(all), 5)
      assert.deepEqual(await charged(all[0]?.tenantId ?? ""), [5, 5])
    })

    it("a burst is served over three instances, exactly; then one for each that the rate makes", async () => {
      const { key } = await tenant({ requests_per_second: 1, burst: 7 })
      const all = await many(60, key)
      assert.equal(count(all), 7)
      const refused = all.find(({ code }) => code === "RATE_LIMITED")
      assert.equal(refused?.limits?.rate?.left, 0)
      assert.ok((refused?.problem?.retryAfterSeconds ?? 0) >= 1)
      await sleep((refused?.problem?.retryAfterSeconds ?? 0) * 1000)
      assert.equal(
        (await ask(0, key)).code,
        "served",
        "a sole waiter who waits that long is served",
      )
    })

    it("a rate that does not divide a second serves its whole burst", async () => {
      const { key } = await tenant({ requests_per_second: 3, burst: 7 })
      assert.equal(count(await many(20, key)), 7)
    })

    it("a clock that went back locks nobody out", async () => {
      const { key } = await tenant({ requests_per_second: 10, burst: 2 })
      const [one] = await many(2, key)
      await change("update live.rate set tat = tat + 3600000000 where tenant_id = $1", [
        one?.tenantId,
      ])
      assert.equal(count(await many(5, key)), 2, "its burst, at once, and not in an hour")
    })

    for (const whose of ["tenant", "key"]) {
      it(`the rate of a ${whose} is kept where a batch is refused that would begin a new version`, async () => {
        const rate = { requests_per_second: 1, burst: 3 }
        const { key } = await tenant(whose === "tenant" ? rate : { soft: true })
        const [one] = await many(1, key)
        if (whose === "key") {
          await change(
            "update live.api_key set requests_per_second = 1, burst = 3 where tenant_id = $1",
            [one?.tenantId],
          )
        }
        await many(3, key)
        for (let version = 0; version < 3; version++) {
          await change(
            `update live.rate set changes = 50,
              tat = (extract(epoch from clock_timestamp()) * 1e6)::bigint + 2900000
              where tenant_id = $1`,
            [one?.tenantId],
          )
          for (const asked of [await many(4, key), await many(4, key)]) {
            assert.equal(count(asked, "RATE_LIMITED"), 4)
          }
        }
      })
    }

    it("a key's own rate binds it within its tenant's", async () => {
      const { key } = await tenant({ requests_per_second: 1, burst: 20 })
      const [one] = await many(1, key)
      await change(
        "update live.api_key set requests_per_second = 1, burst = 3 where tenant_id = $1",
        [one?.tenantId],
      )
      assert.equal(count(await many(20, key)), 3)
    })

    it("as many run at once as the plan says, over three instances; what lies ready is no matter", async () => {
      const { key } = await tenant({ concurrency: 3 })
      const all = await Promise.all(Array.from({ length: 10 }, (_, n) => ask(n, key)))
      assert.equal(count(all), 3)
      const refused = all.find(({ code }) => code === "RATE_LIMITED")
      assert.deepEqual(refused?.problem?.details, { limit: "concurrency" })
      assert.equal(refused?.problem?.retryAfterSeconds, 1)
      assert.equal(count(await many(5, key)), 5, "answered from memory")

      const running = all.filter(({ code }) => code === "served")
      const [one, two] = running
      await instances[0]?.finish({ ...(one as Asked), ...served })
      assert.equal(count(await Promise.all([ask(1, key), ask(2, key)])), 1)
      await change("update live.usage set at = at - interval '61 s' where request_id = $1", [
        two?.requestId,
      ])
      assert.equal(count([await ask(0, key)]), 1, "what has run for a minute is dead")
      assert.equal(count([await ask(0, key)]), 0)
    })

    it("in one batch, each tenant has what it may, whoever else is in it", async () => {
      const tight = await tenant({ units_per_month: 2, requests_per_second: 1, burst: 5 })
      const wide = await tenant({ units_per_month: 100 })
      const batch = await Promise.all([
        ...Array.from({ length: 8 }, () => ask(0, tight.key, { outcome: served })),
        ask(0, tight.key, { outcome: served, digest: "00".repeat(32) }),
        ...Array.from({ length: 4 }, () => ask(0, wide.key, { outcome: served })),
      ])
      assert.deepEqual(
        batch.map(({ code }) => code),
        [
          ...["served", "served", "QUOTA_EXCEEDED", "QUOTA_EXCEEDED", "QUOTA_EXCEEDED"],
          ...["RATE_LIMITED", "RATE_LIMITED", "RATE_LIMITED", "INVALID_KEY"],
          ...["served", "served", "served", "served"],
        ],
      )
      assert.equal(batch.at(-1)?.limits?.quota?.left, 96)
      assert.deepEqual(await charged(batch[0]?.tenantId ?? ""), [2, 2])
      assert.deepEqual(await charged(batch.at(-1)?.tenantId ?? ""), [4, 4])
    })

    for (const [plan, limits, plain] of [
      ["with limits", { units_per_month: 100_000, requests_per_second: 1e6, burst: 1e6 }, false],
      ["without", { soft: true }, true],
      [
        "with limits, as guessed",
        { units_per_month: 100_000, requests_per_second: 1e6, burst: 1e6 },
        true,
      ],
    ] as const) {
      it(`while a snapshot is held, an admission reads no more, however much was admitted: a plan ${plan}`, async () => {
        const { key } = await tenant(limits)
        const first = await ask(0, key, { outcome: served })
        /** Blocks that an admission of one reads, by PostgreSQL's own count, once it is planned. */
        const blocks = () =>
          db.asSuperuser(async (client) => {
            const { index8, digest } = readKey(key) ?? assert.fail()
            let hits = 0
            for (let n = 0; n < 3; n++) {
              const { rows } = await client.query(
                `explain (analyze, buffers, format json) select * from live.admit_batch($1, $2, $3, $4, '{}',
                '{1}', $5, '{1}', '{null}', $6, '{1}', '{1}', '{1}', '{1}', '{1}', '{1}', '{200}', '{0}',
                '{true}', '{}', '{}', '{}', '{}', '{}', '{}')`,
                [newUuid(), plain, [index8], [digest], [newUuid()], [first.tenantId]],
              )
              hits = rows[0]["QUERY PLAN"][0].Plan["Shared Hit Blocks"]
            }
            return hits
          })
        await db.asSuperuser(async (holder) => {
          await holder.query("begin isolation level repeatable read")
          await holder.query("select from live.charge")
          const before = await blocks()
          const { index8, digest } = readKey(key) ?? assert.fail()
          await change(
            `do $$ begin
            for n in 1..3000 loop
              perform live.admit_batch(gen_random_uuid(), ${plain}, '{${index8}}', '{${digest}}', '{}', '{1}',
                array[gen_random_uuid()], '{1}', '{null}', '{${first.tenantId}}', '{1}', '{1}', '{1}', '{1}',
                '{1}', '{1}', '{200}', '{0}', '{true}', '{}', '{}', '{}', '{}', '{}', '{}');
              commit;
            end loop;
          end $$`,
            [],
          )
          const after = await blocks()
          assert.ok(after < 2 * before, `${before} blocks before, ${after} after`)
          await holder.query("rollback")
        })
      })
    }

    it("a test key is held to the rate, and never counted", async () => {
      const { key } = await tenant({ units_per_month: 0, requests_per_second: 1, burst: 4 }, "test")
      const sandbox = new Admission(db.database, "test")
      const live = instances
      instances = [sandbox]
      const all = await many(9, key)
      instances = live
      assert.equal(count(all), 4)
      const { rows } = await change(
        `select (select count(*)::int from sandbox.charge) as charges,
          (select coalesce(sum(units), 0)::int from sandbox.usage) as units`,
        [],
      )
      assert.deepEqual(rows[0], { charges: 0, units: 0 })
    })

    for (const [what, set, address, code] of [
      [
        "from an address that it is bound to",
        "addresses = '{192.0.2.0/24}'",
        "192.0.2.7",
        "served",
      ],
      ["from another", "addresses = '{192.0.2.0/24}'", "198.51.100.7", "ADDRESS_NOT_ALLOWED"],
      [
        "from an address that is not known",
        "addresses = '{2001:db8::/32}'",
        undefined,
        "ADDRESS_NOT_ALLOWED",
      ],
      ["without the scope", "scopes = 2", "192.0.2.7", "INSUFFICIENT_SCOPE"],
    ] as const) {
      it(`a key ${what}: ${code}, at no cost when refused`, async () => {
        const { key } = await tenant({ units_per_month: 2 })
        const [one] = await many(1, key)
        await change(`update live.api_key set ${set} where tenant_id = $1`, [one?.tenantId])
        assert.equal((await ask(0, key, { outcome: served, address })).code, code)
        const units = code === "served" ? 2 : 1
        assert.deepEqual(await charged(one?.tenantId ?? ""), [units, units])
      })
    }

    it("a batch that is voided after its commit leaves no row and costs nothing", async () => {
      const { key } = await tenant({ units_per_month: 5 })
      const [one, two] = await many(2, key)
      const { rows } = await change("select id from live.batch where at = $1 and tenants = $2", [
        one?.admittedAt,
        [one?.tenantId],
      ])
      const undo = () =>
        db.database.call("select live.void_batch($1, $2, '{}', '{}', '{}')", [
          rows[0]?.id,
          [one?.requestId],
        ])
      await undo()
      await undo()
      assert.deepEqual(await charged(two?.tenantId ?? ""), [1, 1])
    })

    it("a batch that is voided before its commit never commits", async () => {
      const id = newUuid()
      await db.database.call("select live.void_batch($1, '{}', '{}', '{}', '{}')", [id])
      await assert.rejects(
        db.database.call(
          `select live.admit_batch($1, true, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
            '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')`,
          [id],
        ),
        /duplicate key/,
      )
    })
  })
}
