/** A batch of one key takes a way of its own through the statement: it must come to what the long way does. */
import assert from "node:assert/strict"
import { createHash, randomUUID } from "node:crypto"
import { after, before, describe, it } from "node:test"
import fc from "fast-check"
import type pg from "pg"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { labelIndex } from "../../test/tenant.ts"
import { newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import { SCHEMAS } from "../db/database.ts"
import { Admission } from "./admission.ts"
import type { Arrival, Limits } from "./batch.ts"

const orNone = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined, freq: 2 })
const seldom = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
const version = { version: fc.nat(3), changes: fc.constantFrom(0, 10, 48, 49, 50) }

const SITUATION = fc.record({
  plan: fc.record({
    /** One a second, and so much at once. */
    burst: orNone(fc.integer({ min: 1, max: 8 })),
    units: orNone(fc.nat(12)),
    soft: fc.boolean(),
    concurrency: seldom(fc.integer({ min: 1, max: 4 })),
  }),
  /** What is out of the ordinary about it, as SQL sets it. */
  key: seldom(
    fc.constantFrom(
      "revoked_at = now()",
      "disabled_at = now()",
      "expires_at = now()",
      "expires_at = now() + interval '1 day'",
      "addresses = '{10.0.0.0/8}'",
      "addresses = '{192.0.2.0/24}'",
      "scopes = 1",
      "requests_per_second = 1, burst = 3",
    ),
  ),
  charge: orNone(fc.record({ units: fc.nat(12), ...version })),
  /** In halves of a request, so that what is left does not change within the test's milliseconds. */
  rate: orNone(fc.record({ ahead: fc.integer({ min: -2, max: 8 }), ...version })),
  arrivals: fc.array(
    fc.record({
      cost: fc.constantFrom(1, 1, 0),
      scope: fc.constantFrom(1, 1, 2),
      status: fc.constantFrom(200, 200, 400, undefined),
    }),
    { minLength: 1, maxLength: 6 },
  ),
})
type Situation = typeof SITUATION extends fc.Arbitrary<infer T> ? T : never

for (const [major, environment, runs] of [
  [18, "live", 200],
  [18, "test", 50],
  [15, "live", 50],
] as const) {
  describe(`a batch of one key (${environment}) on PostgreSQL ${major}`, () => {
    const schema = SCHEMAS[environment]
    let db: TestDatabase
    let company: Arrival
    before(async () => {
      db = await createDatabase(major)
      const { arrival } = await db.asSuperuser((client) => tenant(client, undefined))
      company = arrival({ cost: 1, scope: 1, status: 200 })
    })
    after(() => db.drop())

    it("comes to the same alone and in company", () =>
      db.asSuperuser((client) =>
        fc.assert(
          fc.asyncProperty(SITUATION, async (situation) => {
            const alone = await outcome(client, situation, [])
            const together = await outcome(client, situation, [company])
            // Later, half a request may have come back.
            fc.pre(alone.ms < 400 && together.ms < 400)
            assert.deepEqual(alone.found, together.found)
          }),
          { numRuns: runs },
        ),
      ))

    /** @returns A tenant as the situation has it, by default one without limits. */
    async function tenant(client: pg.ClientBase, situation: Situation | undefined) {
      const [tenantId, keyId] = [newUuid(), newUuid()]
      const digest = createHash("sha256").update(keyId).digest("hex")
      const index8 = digest.slice(0, 8)
      const plan = situation === undefined ? "unlimited" : `p${keyId}`
      if (situation !== undefined) {
        const { burst, units, soft, concurrency } = situation.plan
        await client.query(
          `insert into platform.plan (name, requests_per_second, burst, units_per_month, soft, concurrency)
            values ($1, $2, $3, $4, $5, $6)`,
          [plan, burst && 1, burst, units, soft, concurrency],
        )
      }
      await client.query(
        "insert into platform.tenant (id, name_index, sealed_name, plan) values ($1, $2, '', $3)",
        [tenantId, labelIndex(tenantId), plan],
      )
      await client.query(
        `insert into ${schema}.api_key (tenant_id, id, sealed_name, index8, digest)
          values ($1, $2, '', $3, decode($4, 'hex'))`,
        [tenantId, keyId, index8, digest],
      )
      await client.query(`insert into ${schema}.account values ($1)`, [tenantId])
      const { key, charge, rate } = situation ?? {}
      if (key !== undefined)
        await client.query(`update ${schema}.api_key set ${key} where id = $1`, [keyId])
      if (charge !== undefined) {
        await client.query(
          `insert into ${schema}.charge (tenant_id, month, version, units, changes)
            values ($1, date_trunc('month', now() at time zone 'UTC'), $2, $3, $4)`,
          [tenantId, charge.version, charge.units, charge.changes],
        )
      }
      if (rate !== undefined) {
        await client.query(
          `insert into ${schema}.rate (tenant_id, holder, version, tat, changes)
            values ($1, $1, $2, extract(epoch from clock_timestamp()) * 1000000 + $3, $4)`,
          [tenantId, rate.version, (rate.ahead + 0.5) * 1_000_000, rate.changes],
        )
      }
      const arrival = ({ cost, scope, status }: Situation["arrivals"][number]): Arrival => ({
        ...{ index8, digest, requestId: randomUUID(), route: 1, cost, scope },
        ...{ address: "192.0.2.1", caller: { tenantId, keyId } },
        ...(status !== undefined && { outcome: { status, latencyBucket: 0, cacheHit: true } }),
      })
      return { tenantId, arrival }
    }

    /** @returns What was answered, and what is written down; ids and moments left out. */
    async function outcome(
      client: pg.ClientBase,
      situation: Situation,
      others: readonly Arrival[],
    ) {
      const { tenantId, arrival } = await tenant(client, situation)
      const began = performance.now()
      const admission = new Admission(db.database, environment) // which guesses that all are served
      const own = situation.arrivals.map(arrival)
      const answers = await Promise.all(
        [...own, ...others].map(
          (one) =>
            new Promise<[string, number | undefined, Limits | undefined]>((resolve) =>
              admission.admit(one, (result, _, limits) => {
                if (!(result instanceof Problem)) return resolve(["served", undefined, limits])
                const seconds = result.retryAfterSeconds ?? 0
                // Longer ones are until the end of the month.
                resolve([result.code, Math.min(seconds, 60), limits])
              }),
            ),
        ),
      )
      const rows = async (text: string) => (await client.query(text, [tenantId])).rows
      const found = {
        answers: answers.slice(0, own.length),
        usage: await rows(`select route, status, latency_bucket, cache_hit, units,
            plan <> 'unlimited' as planned from ${schema}.usage where tenant_id = $1
            order by array_position('{${own.map(({ requestId }) => requestId)}}'::uuid[], request_id)`),
        charge: await rows(
          `select version, units, changes from ${schema}.charge where tenant_id = $1 order by version`,
        ),
        rate: await rows(`select holder = tenant_id as of_all, version, changes,
            round((tat - extract(epoch from clock_timestamp()) * 1000000) / 1000000, 0) as ahead
            from ${schema}.rate where tenant_id = $1 order by version, of_all`),
      }
      return { found, ms: performance.now() - began }
    }
  })
}
