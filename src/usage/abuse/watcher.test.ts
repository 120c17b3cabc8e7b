/** From usage rows to findings, throttles and back; on a real database. */
import assert from "node:assert/strict"
import { after, afterEach, before, beforeEach, describe, it } from "node:test"
import type pg from "pg"
import type { TestDatabase } from "../../../test/postgres.ts"
import { createDatabase } from "../../../test/postgres.ts"
import { insertTenant } from "../../../test/tenant.ts"
import { encodeId, newUuid } from "../../core/ids.ts"
import type { Database, Tx } from "../../db/database.ts"
import {
  dismissFinding,
  findFinding,
  lift,
  listFindings,
  listThrottles,
  throttle,
} from "./findings.ts"
import { RULES, SLOWEST } from "./rules.ts"
import { Watcher } from "./watcher.ts"

const ACTOR = "cli:test"
const HOUR_MS = 3_600_000
/** All that is looked at happened at one moment, in the hour before the one that the looks are in. */
const NOW = Math.floor(Date.now() / HOUR_MS) * HOUR_MS + 1
const AT = new Date(NOW - HOUR_MS / 2)

for (const major of [18, 15] as const) {
  describe(`detectors on PostgreSQL ${major}`, () => {
    let db: TestDatabase
    let superuser: { readonly client: pg.Client; release(): void }
    let closed: Promise<void>
    let tenant: string
    let keys: string[]
    let found: string[]
    before(async () => {
      db = await createDatabase(major)
      // One connection for all that tests arrange.
      superuser = await new Promise((resolve) => {
        closed = db.asSuperuser(
          (client) => new Promise<void>((release) => resolve({ client, release })),
        )
      })
      // Days of rows that were there before detectors were.
      for (const ago of [3, 20]) {
        await query("select live.add_usage_day(($1::timestamptz at time zone 'UTC')::date)", [
          new Date(NOW - ago * 24 * HOUR_MS),
        ])
      }
    })
    after(async () => {
      superuser.release()
      await closed
      await db.drop()
    })
    beforeEach(async () => {
      tenant = newUuid()
      keys = [newUuid(), newUuid()].sort()
      found = []
      await db.admin.asOperator((tx) => insertTenant(tx, tenant))
      await query(
        `insert into live.api_key (tenant_id, id, sealed_name, index8, digest, requests_per_second, burst)
          select $1, id, '', left(id::text, 8), sha256(id::text::bytea),
            case id when $3 then 50 end, case id when $3 then 100 end
          from unnest($2::uuid[]) id`,
        [tenant, keys, keys[1]],
      )
    })
    afterEach(async () => {
      await superuser.client.query(`
        delete from live.throttle; delete from live.finding; delete from live.event;
        delete from live.watch_hour; delete from live.usage; delete from live.unknown_key;
        delete from live.network; delete from live.analysis`)
    })
    const query = async (text: string, values: readonly unknown[] = []) =>
      (await superuser.client.query(text, [...values])).rows
    const operator = <T>(work: (tx: Tx) => Promise<T>) => db.admin.asOperator(work)
    const watcher = (more: Partial<ConstructorParameters<typeof Watcher>[0]> = {}) =>
      new Watcher({
        database: db.database,
        now: () => NOW,
        everySeconds: 60,
        throttle: true,
        found: (id) => found.push(encodeId("fnd", id)),
        failed: (error) => assert.fail(String(error)),
        ...more,
      })
    /** Looks as if nobody had for a while. What it has counted is not there the next time. */
    const look = async (more: Parameters<typeof watcher>[0] = {}) => {
      await query("update platform.watch_turn set looked_at = '-infinity', counted_to = $1", [AT])
      const fresh = await watcher(more).look()
      await query("delete from live.usage")
      return fresh
    }
    const use = (rows: number, status: number | null, { key = keys[0], route = 1, at = AT } = {}) =>
      query(
        `insert into live.usage (tenant_id, request_id, key_id, at, route, status, cache_hit, units, plan)
          select $1, gen_random_uuid(), $2, $3, $4, $5, false, 0, 'x' from generate_series(1, $6)`,
        [tenant, key, at, route, status, rows],
      )
    /** A history of hours, the same each day. */
    const history = (days: number, requests: number, misses = 0) =>
      query(
        `insert into live.watch_hour
          select $1, $6::timestamptz - n * interval '1 hour', $2, $3, $4, 0, 0
          from generate_series(24, $5 * 24) n`,
        [tenant, keys[0], requests, misses, days, new Date(NOW - 1)],
      )
    const rates = async () =>
      (
        await query(
          "select requests_per_second as rate, burst from live.api_key where tenant_id = $1 order by id",
          [tenant],
        )
      ).map(({ rate, burst }) => [rate, burst])
    const kinds = async () =>
      (await query("select kind from live.event where tenant_id = $1 order by at", [tenant])).map(
        ({ kind }) => kind,
      )
    const audit = async () =>
      (
        await query(
          "select action, actor from audit.entry where tenant_id = $1 order by at, action",
          [tenant],
        )
      ).map(({ action, actor }) => `${action} ${actor}`)
    const openFindings = () => operator((tx) => listFindings(tx, false))

    it("adds up each usage row once, in its hour, over several looks", async () => {
      await use(30, 200)
      await use(5, 401)
      await use(4, null)
      await use(10, 404, { at: new Date(NOW - 2.5 * HOUR_MS) })
      await query("update platform.watch_turn set counted_to = $1", [new Date(NOW - 3 * HOUR_MS)])
      await watcher().look()
      // Of the very moment that was counted up to, which was not.
      await query(
        `insert into live.usage (tenant_id, request_id, key_id, at, route, status, cache_hit, units, plan)
          select $1, gen_random_uuid(), $2, counted_to, 1, 200, false, 0, 'x'
          from platform.watch_turn, generate_series(1, 3) where environment = 'live'`,
        [tenant, keys[0]],
      )
      await query("update platform.watch_turn set looked_at = '-infinity'")
      await watcher().look()
      const [sum] = await query(
        `select count(distinct hour)::int as hours, sum(requests)::int as requests, sum(misses)::int as misses,
          sum(refused)::int as refused, sum(missing)::int as missing from live.watch_hour`,
      )
      assert.deepEqual([sum.requests, sum.misses, sum.refused, sum.missing], [52, 37, 5, 10])
      assert.ok(sum.hours >= 2)
    })

    it("catches up with a month of rows that were there before, hour by hour", async () => {
      await query("update platform.watch_turn set looked_at = '-infinity'")
      await query("update platform.watch_turn set counted_to = null where environment = 'live'")
      await use(5, 200, { at: new Date(NOW - 20 * 24 * HOUR_MS) })
      await use(7, 200, { at: new Date(NOW - 3 * 24 * HOUR_MS) })
      await watcher().look()
      const hours = await query("select requests::int from live.watch_hour order by hour")
      assert.deepEqual(hours, [{ requests: 5 }, { requests: 7 }])
    })

    it("one instance looks at a time, and not sooner than it is due", async () => {
      await query("update platform.watch_turn set looked_at = '-infinity', counted_to = $1", [AT])
      await use(80, 404)
      const counts = await Promise.all([watcher().look(), watcher().look()])
      assert.deepEqual(counts.toSorted(), [0, 1])
      await use(80, 404, { key: keys[1] })
      await query("update platform.watch_turn set counted_to = $1", [AT])
      assert.equal(await watcher().look(), 0, "another looked just now")
      assert.equal(await look(), 1)
    })

    it("guessed ids: the key is held to the slowest rate, the owner told, and it is in the audit log", async () => {
      await use(RULES.identifiers.floor - 1, 404, { route: 13 })
      assert.equal(await look(), 0, "one fewer is nothing")
      await use(1, 404, { route: 13 })
      assert.equal(await look(), 1)
      const [finding] = await openFindings()
      assert.equal(finding?.state, "throttled")
      assert.deepEqual(
        [finding?.rule, finding?.measured, finding?.threshold],
        ["identifiers", 60, 60],
      )
      assert.equal(finding?.key, encodeId("key", keys[0] ?? ""))
      assert.deepEqual(await rates(), [
        [SLOWEST.perSecond, SLOWEST.burst],
        [50, 100],
      ])
      assert.deepEqual(await kinds(), ["abuse_suspected", "key_throttled"])
      assert.deepEqual(await audit(), ["key.throttled program"])
      assert.deepEqual(found, [finding?.id])
      await use(40, 404, { route: 13 })
      assert.equal(await look(), 0, "the same again is the same finding")
      assert.equal((await openFindings())[0]?.measured, 100)
      assert.deepEqual(await kinds(), ["abuse_suspected", "key_throttled"], "and told once")
    })

    it("a burst: all keys of the tenant are held to the rate that is noticed", async () => {
      await history(20, 400)
      await use(RULES.burst.floor, 200)
      assert.equal(await look(), 1)
      const perSecond = Math.ceil(RULES.burst.floor / 3_600)
      assert.deepEqual(await rates(), [
        [perSecond, 10 * perSecond],
        [perSecond, 10 * perSecond],
      ])
      const throttles = await operator((tx) => listThrottles(tx))
      assert.deepEqual(
        throttles.map(({ was_requests_per_second }) => was_requests_per_second),
        [null, 50],
      )
      const hours = (Date.parse(throttles[0]?.until ?? "") - Date.now()) / 3_600_000
      assert.ok(hours > 0.9 && hours <= 1, `${hours} hours`)
    })

    for (const [because, days, requests] of [
      ["what is usual for it is no burst", 20, 1_000],
      ["a tenant without a week of history has nothing to be compared with", 6, 10],
    ] as const) {
      it(`no burst: ${because}`, async () => {
        await history(days, requests)
        await use(RULES.burst.floor, 200)
        assert.equal(await look(), 0)
      })
    }

    it("different domains are counted by blind index: the same ones again are no enumeration", async () => {
      await history(20, 400, 100)
      await use(RULES.domains.floor, 200)
      const analysed = (different: number) =>
        query(
          `insert into live.analysis (tenant_id, id, domain_index, observed_at, expires_at, sealed)
            select $1, gen_random_uuid(), decode(md5((n % $2)::text), 'hex'), $4::timestamptz,
              now() + interval '1 day', '' from generate_series(1, $3) n`,
          [tenant, different, RULES.domains.floor, AT],
        )
      await analysed(50)
      assert.equal(await look(), 0)
      await query("delete from live.analysis")
      await analysed(RULES.domains.floor)
      assert.equal(await look(), 1)
      assert.equal((await openFindings())[0]?.rule, "domains")
    })

    it("ended keys: told, and nothing is throttled", async () => {
      await use(RULES.ended_key.floor, 401)
      assert.equal(await look(), 1)
      const [finding] = await openFindings()
      assert.deepEqual([finding?.rule, finding?.state], ["ended_key", "open"])
      assert.deepEqual(await kinds(), ["abuse_suspected"])
      const more = Array.from({ length: RULES.ended_keys.floor }, newUuid)
      for (const key of more) await use(1, 401, { key })
      assert.equal(await look(), 1)
      assert.equal((await openFindings())[0]?.rule, "ended_keys")
    })

    it("unknown keys: told to the operator, since they are nobody's", async () => {
      await db.database.call("select live.count_unknown_keys($1, $2)", [
        AT,
        RULES.unknown_keys.floor,
      ])
      assert.equal(await look(), 1)
      const [finding] = await openFindings()
      assert.deepEqual([finding?.rule, finding?.tenant, finding?.key], ["unknown_keys", null, null])
      assert.deepEqual(await query("select from live.event"), [])
    })

    it("a key used from many networks: told", async () => {
      await db.database.call("select live.network_salt($1, $2)", [today(), Buffer.alloc(32)])
      await db.database.call("select live.add_networks($1, $2, $3, $4, $5)", [
        today(),
        Array(256).fill(tenant),
        Array(256).fill(keys[0]),
        Array.from({ length: 256 }, (_, n) => n),
        Array(256).fill(2),
      ])
      assert.equal(await look(), 1)
      const [finding] = await openFindings()
      assert.deepEqual([finding?.rule, finding?.state], ["networks", "open"])
    })

    describe("a throttle", () => {
      const key = () => encodeId("key", keys[0] ?? "")
      const hold = (subject: string, hours = 1) =>
        operator((tx) =>
          throttle(
            tx,
            subject,
            { perSecond: 2, burst: 4, until: new Date(Date.now() + hours * 3_600_000) },
            ACTOR,
          ),
        )
      const undo = (subject: string) => operator((tx) => lift(tx, subject, ACTOR))

      it("is put back when its time is over, by the next look", async () => {
        await hold(encodeId("ten", tenant))
        assert.deepEqual(await rates(), [
          [2, 4],
          [2, 4],
        ])
        await look()
        assert.deepEqual((await rates())[0], [2, 4], "not before")
        await query("update live.throttle set until = now() where tenant_id = $1", [tenant])
        await look()
        assert.deepEqual(await rates(), [
          [null, null],
          [50, 100],
        ])
        assert.deepEqual(await audit(), [
          ...Array(2).fill(`key.throttled ${ACTOR}`),
          ...Array(2).fill("key.throttle_lifted program"),
        ])
        assert.deepEqual((await kinds()).toSorted(), [
          ...Array(2).fill("key_throttled"),
          ...Array(2).fill("throttle_lifted"),
        ])
      })

      it("is lifted by an operator, by key or by finding, and the finding throttles no more", async () => {
        await use(RULES.identifiers.floor, 404, { route: 13 })
        await look()
        const [finding] = await openFindings()
        assert.equal(finding?.state, "throttled")
        assert.deepEqual(await undo(finding?.id ?? ""), { keys: 1 })
        assert.deepEqual((await rates())[0], [null, null])
        await use(10, 404, { route: 13 })
        await look()
        assert.deepEqual((await rates())[0], [null, null])
        assert.equal((await openFindings())[0]?.state, "open")
      })

      it("is put back by dismissing the finding, whose rule is then quiet", async () => {
        await use(RULES.identifiers.floor, 404, { route: 13 })
        await look()
        const [finding] = await openFindings()
        const id = finding?.id ?? ""
        const done = await operator((tx) => dismissFinding(tx, id, 7, ACTOR))
        assert.deepEqual([done.lifted, done.finding.state], [1, "dismissed"])
        assert.deepEqual((await rates())[0], [null, null])
        await use(RULES.identifiers.floor, 404, { route: 13 })
        assert.equal(await look(), 0, "quiet")
        assert.deepEqual(await openFindings(), [])
        await query("update live.finding set quiet_until = now()")
        assert.equal(await look(), 1, "until its days are over")
        assert.ok((await audit()).includes(`finding.dismissed ${ACTOR}`))
      })

      it("is not undone by a change of plan, and a key's own change of rate stays", async () => {
        await hold(encodeId("ten", tenant))
        await query("update platform.tenant set plan = 'starter' where id = $1", [tenant])
        assert.deepEqual((await rates())[0], [2, 4])
        await query(
          "update live.api_key set requests_per_second = 7, burst = 9 where tenant_id = $1 and id = $2",
          [tenant, keys[0]],
        )
        assert.deepEqual(await undo(encodeId("ten", tenant)), { keys: 2 })
        assert.deepEqual(await rates(), [
          [7, 9],
          [50, 100],
        ])
      })

      it("goes over to what a key is rotated to or issues, and is put back there too", async () => {
        await hold(key())
        const [next = "", child = "", other = ""] = [newUuid(), newUuid(), newUuid()].sort()
        for (const [id, issuer, rate] of [
          [next, "cli:root", 2],
          [child, encodeId("key", next), 2],
          [other, key(), 1], // somebody gave it less
        ] as const) {
          await query(
            `insert into live.api_key (tenant_id, id, sealed_name, index8, digest, issued_by,
                requests_per_second, burst)
              values ($1, $2, '', 'abcdefgh', sha256(gen_random_uuid()::text::bytea), $3, $4, 4)`,
            [tenant, id, issuer, rate],
          )
        }
        await query("update live.api_key set replaced_by = $1 where id = $2", [next, keys[0]])
        assert.deepEqual(await undo(key()), { keys: 1 })
        // By its old key alone; heirs are held by rows of their own.
        assert.deepEqual(await undo(encodeId("ten", tenant)), { keys: 2 })
        assert.deepEqual(await rates(), [
          [null, null],
          [50, 100],
          [null, null],
          [null, null],
          [1, 4],
        ])
      })

      it("leaves a slower key alone, and one that is throttled already", async () => {
        await hold(key())
        await assert.rejects(hold(key()), { code: "CONFLICT" })
        assert.deepEqual(await undo(key()), { keys: 1 })
        assert.deepEqual(await undo(key()), { keys: 0 })
      })

      for (const [what, id] of [
        ["no id", "nonsense"],
        ["a tenant that is not there", encodeId("ten", newUuid())],
        ["a key that is not there", encodeId("key", newUuid())],
      ] as const) {
        it(`is refused for ${what}`, async () => {
          await assert.rejects(hold(id), { code: "NOT_FOUND" })
          await assert.rejects(undo(id), { code: "NOT_FOUND" })
        })
      }
    })

    it("with ZT_ABUSE_THROTTLE=no a finding is told alone", async () => {
      await use(RULES.identifiers.floor, 404, { route: 13 })
      assert.equal(await look({ throttle: false }), 1)
      const [finding] = await openFindings()
      assert.equal(finding?.state, "open")
      assert.deepEqual((await rates())[0], [null, null])
    })

    it("no finding is there under another id", async () => {
      await assert.rejects(
        operator((tx) => findFinding(tx, encodeId("fnd", newUuid()))),
        { code: "NOT_FOUND" },
      )
    })

    for (const [what, statement] of [
      ["the API's login throttle", "select live.throttle_keys(null, null, 1, 1, now(), 'x')"],
      ["the API's login lift", "select live.lift_throttle(null, null, null, 'x')"],
      ["the API's login read counts", "select * from live.watch_hour"],
      ["the API's login read sketches", "select * from live.network"],
    ] as const) {
      it(`no row of it may ${what}`, async () => {
        await assert.rejects(db.database.call(statement), { code: "42501" })
      })
    }

    it("a customer's role sees nothing of it", async () => {
      for (const table of ["finding", "throttle", "watch_hour", "network", "network_salt"]) {
        await assert.rejects(
          db.database.asTenant("live", tenant, (tx) => tx.query(`select from live.${table}`)),
          { code: "42501" },
        )
      }
    })
  })
}

describe("health of detectors", () => {
  it("says nothing of whom, when it failed, and when that is over", async () => {
    let broken = false
    let suspicious = false
    let at = Date.parse("2026-11-25T00:00:00.000Z")
    const told: unknown[] = []
    const database: Pick<Database, "callAside"> = {
      async callAside<Row extends object>(text: string) {
        if (broken) throw new Error("away")
        const rows = text.includes("watch_state")
          ? [{ looked_at: new Date(at), suspicious }]
          : [{ more: null }]
        return rows as unknown as Row[]
      },
    }
    const watcher = new Watcher({
      database,
      now: () => at,
      everySeconds: 60,
      throttle: true,
      found: () => {},
      failed: (error) => told.push(error),
    })
    await watcher.look()
    assert.deepEqual(await watcher.probe(), {
      state: "ok",
      message: "nothing suspicious in the last day; looked for every 60 seconds",
    })
    suspicious = true
    await watcher.look()
    assert.match(
      (await watcher.probe()).message,
      /^something suspicious .*: bin\/zygentrust abuse list$/,
    )
    broken = true
    await watcher.look()
    const { state, message } = await watcher.probe()
    assert.equal(state, "degraded")
    assert.match(message, /^Nobody looks for abuse since 2026-11-25T00:00:00.000Z/)
    assert.equal(told.length, 1)
    broken = false
    await watcher.look()
    assert.equal((await watcher.probe()).state, "ok")
    at += 601_000
    assert.equal((await watcher.probe()).state, "degraded", "no look for ten intervals")
  })
})

function today(): string {
  return new Date(NOW).toISOString().slice(0, 10)
}
