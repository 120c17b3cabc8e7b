/**
 * Reports add up, whatever the maintenance has done, was stopped in or did twice, whatever outcomes came
 * when; days pass by moving all that there is a day back.
 */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { describe, it } from "node:test"
import fc from "fast-check"
import type pg from "pg"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { insertTenant } from "../../test/tenant.ts"
import { addUsageDays } from "../../test/usage-days.ts"
import { encodeId, newUuid } from "../core/ids.ts"
import { findKey, lastUse } from "../keys/row.ts"
import { Maintenance } from "./maintenance.ts"
import { count, readUsage, routeName } from "./report.ts"

/** An outcome that comes later is not taken. */
const LATE_MS = 90 * 60_000
const DAY_MS = 24 * 3_600_000

/** A row as it should be counted, for ever. */
interface Told {
  readonly tenant: string
  readonly request: string
  readonly key: string
  readonly route: number
  at: number
  status: number | null
  units: number
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant("ask" as const),
      tenant: fc.nat(1),
      key: fc.nat(1),
      route: fc.integer({ min: 1, max: 2 }),
      /** Of the time since hours were closed last. */
      share: fc.integer({ min: 0, max: 1000 }).map((n) => n / 1000),
      status: fc.constantFrom(null, 200, 429),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("settle" as const),
      of: fc.nat(),
      status: fc.constantFrom(200, 500),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("void" as const), of: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("look" as const),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("call" as const),
      of: fc.constantFrom(
        "roll_up_usage()",
        "note_last_use()",
        "drop_expired_usage()",
        "retain('usage', 3)",
      ),
      /** How a crash ends it, at whatever point. */
      end: fc.constantFrom("commit", "rollback"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("day" as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

for (const major of [18, 15] as const) {
  describe(`usage rolled up on PostgreSQL ${major}`, () => {
    it("adds up to the rows after any order of outcomes, crashes and days", () =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 30 }), async (steps) => {
          const db = await createDatabase(major)
          try {
            await db.asSuperuser(async (client) => {
              const run = await Run.begin(db, client)
              for (const one of [...steps, { op: "look", times: 1 } as const]) {
                await run.take(one)
                await run.compare(JSON.stringify(one))
              }
            })
          } finally {
            await db.drop()
          }
        }),
        { numRuns: 2, endOnFailure: true, includeErrorInReport: true },
      ))
  })
}

class Run {
  readonly #db: TestDatabase
  readonly #client: pg.Client
  readonly #tenants = [newUuid(), newUuid()]
  readonly #keys = [newUuid(), newUuid()]
  readonly #told: Told[] = []

  private constructor(db: TestDatabase, client: pg.Client) {
    this.#db = db
    this.#client = client
  }

  static async begin(db: TestDatabase, client: pg.Client): Promise<Run> {
    const run = new Run(db, client)
    await db.admin.asOperator(async (tx) => {
      for (const [n, tenant] of run.#tenants.entries()) {
        await tx.query("insert into platform.plan (name, retention_days) values ($1, $2)", [
          `keeps-${n}`,
          1 + 2 * n,
        ])
        await insertTenant(tx, tenant)
        await tx.query("update platform.tenant set plan = $2 where id = $1", [tenant, `keeps-${n}`])
      }
    })
    for (const tenant of run.#tenants) {
      for (const key of run.#keys) {
        await client.query(
          `insert into live.api_key (tenant_id, id, sealed_name, index8, digest)
            values ($1, $2, '', $3, $4)`,
          [tenant, key, randomBytes(4).toString("hex"), randomBytes(32)],
        )
      }
    }
    await addUsageDays(client, 2)
    await client.query(
      "update live.usage_progress set closed_to = date_trunc('hour', now()) - interval '27 hours', used_to = now() - interval '27 hours'",
    )
    return run
  }

  async take(one: Step): Promise<void> {
    switch (one.op) {
      case "ask":
        return this.#ask(one)
      case "settle":
        return this.#settle(this.#pick(one.of), one.status)
      case "void":
        return this.#void(this.#pick(one.of))
      case "look":
        await Promise.all(Array.from({ length: one.times }, () => this.#keeper().look()))
        return
      case "call":
        await this.#client.query(`begin; select live.${one.of}; ${one.end}`)
        return
      case "day":
        return this.#passDay()
    }
  }

  async #ask({ tenant, key, route, share, status }: Step & { op: "ask" }): Promise<void> {
    const { rows } = await this.#client.query<{ closed: Date; now: Date }>(
      "select closed_to as closed, now() as now from live.usage_progress",
    )
    const [{ closed, now } = { closed: new Date(), now: new Date() }] = rows
    const at = Math.floor(closed.getTime() + share * (now.getTime() - closed.getTime()))
    const told: Told = {
      tenant: this.#tenants[tenant] ?? "",
      request: newUuid(),
      key: this.#keys[key] ?? "",
      route,
      at,
      status,
      units: status === 429 ? 0 : 1,
    }
    this.#told.push(told)
    await this.#client.query(
      `insert into live.usage (tenant_id, request_id, key_id, at, route, status, latency_bucket, cache_hit, units, plan)
        values ($1, $2, $3, $4, $5, $6::smallint, 3, true, $7, 'x')`,
      [told.tenant, told.request, told.key, new Date(at), route, status, told.units],
    )
  }

  #pick(n: number): Told | undefined {
    return this.#told[n % this.#told.length]
  }

  /** Sometimes late, sometimes twice: what is too old stays as it is. */
  async #settle(one: Told | undefined, status: number): Promise<void> {
    if (one === undefined) return
    await this.#client.query(
      `select live.settle(array[$1::uuid], array[$2::timestamptz], array[$3::uuid], array[$4::smallint], array[2::smallint], array[false])`,
      [one.tenant, new Date(one.at), one.request, status],
    )
    if (one.status !== null || one.at < Date.now() - LATE_MS) return
    one.status = status
    if (status >= 400) one.units = 0
  }

  async #void(one: Told | undefined): Promise<void> {
    if (one === undefined) return
    await this.#client.query(
      "select live.void_batch(gen_random_uuid(), '{}', array[$1::uuid], array[$2::timestamptz], array[$3::uuid])",
      [one.tenant, new Date(one.at), one.request],
    )
    if (one.at < Date.now() - LATE_MS) return
    one.status = 503
    one.units = 0
  }

  async #passDay(): Promise<void> {
    await this.#client.query(
      `select live.add_usage_day((min(at) at time zone 'UTC')::date - 1) from live.usage`,
    )
    await addUsageDays(this.#client, 10)
    await this.#client.query(`begin;
      update live.usage set at = at - interval '24 hours';
      update live.usage_hour set hour = hour - interval '24 hours';
      update live.usage_day set day = day - 1;
      update live.key_use set at = at - interval '24 hours';
      update live.usage_progress set closed_to = closed_to - interval '24 hours',
        used_to = used_to - interval '24 hours', swept_on = swept_on - 1, swept_to = swept_to - 1;
      commit`)
    for (const one of this.#told) one.at -= DAY_MS
  }

  #keeper(): Maintenance {
    const failed = (error: unknown) => assert.fail(String(error))
    return new Maintenance({ database: this.#db.database, now: Date.now, failed, rowsAtOnce: 2 })
  }

  async compare(after: string): Promise<void> {
    for (const tenant of this.#tenants) {
      const mine = this.#told.filter((one) => one.tenant === tenant)
      const expected: Record<string, [number, number]> = {}
      for (const { at, key, route, status, units } of mine) {
        const day = new Date(at).toISOString().slice(0, 10)
        const name = [day, encodeId("key", key), routeName(route), status].join(" ")
        const [requests, total] = expected[name] ?? [0, 0]
        expected[name] = [requests + 1, total + units]
      }
      const months = new Set(
        [new Date().toISOString(), ...mine.map(({ at }) => new Date(at).toISOString())].map((at) =>
          at.slice(0, 7),
        ),
      )
      const found: Record<string, [number, number]> = {}
      for (const month of months) {
        const { lines } = await this.#db.database.asTenant("live", tenant, (tx) =>
          readUsage(tx, "live", month),
        )
        for (const { day, key, route, status, requests, units } of lines) {
          found[[day, key, route, status].join(" ")] = [requests, units]
        }
        assert.equal(
          count(lines).requests,
          lines.reduce((sum, { requests }) => sum + requests, 0),
        )
      }
      assert.deepEqual(found, expected, after)
    }
    const { rows } = await this.#client.query<{ closed: Date }>(
      "select closed_to as closed from live.usage_progress",
    )
    for (const [tenant, mine] of Map.groupBy(this.#told, (one) => one.tenant)) {
      for (const [key, ofKey] of Map.groupBy(mine, (one) => one.key)) {
        const at = Math.max(...ofKey.map((one) => one.at))
        // Until then, what came between in place of at the end (as no clock has it) may be missed.
        if (at >= (rows[0]?.closed.getTime() ?? 0)) continue
        const used = await this.#db.database.asTenant("live", tenant, async (tx) =>
          lastUse(tx, await findKey(tx, encodeId("key", key), ["live"])),
        )
        const minute = new Date(at - (at % 60_000)).toISOString()
        assert.equal(used, minute, `last use ${after}`)
      }
    }
  }
}
