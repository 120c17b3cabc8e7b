/** The admission statement itself, on a real database. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { memorySecrets } from "../../test/memory-secrets.ts"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Environment } from "../db/database.ts"
import { readKey } from "../keys/format.ts"
import { issueKey } from "../keys/keys.ts"
import { operator, revokeKey } from "../keys/life.ts"
import { Keyring } from "../secrets/keyring.ts"
import { Admission } from "./admission.ts"
import type { Arrival, Caller } from "./batch.ts"

for (const major of [18, 15] as const) {
  describe(`the admission statement on PostgreSQL ${major}`, () => {
    let db: TestDatabase
    let keyring: Keyring
    before(async () => {
      db = await createDatabase(major)
      keyring = await Keyring.open(memorySecrets())
    })
    after(() => db.drop())

    const issue = (environment: Environment, tenant = "acme", expiresAt?: Date) =>
      db.admin.asOperator((tx) =>
        issueKey(tx, keyring, {
          tenant,
          environment,
          name: "k",
          actor: "test",
          ...(expiresAt && { expiresAt }),
        }),
      )

    const ask = (admission: Admission, key: string, more: Partial<Arrival> = {}) => {
      const parts = readKey(key)
      assert.ok(parts)
      const requestId = newUuid()
      return new Promise<{ result: Caller | Problem; requestId: string; admittedAt: string }>(
        (resolve) =>
          admission.admit(
            { ...parts, requestId, route: 1, cost: 1, scope: 1, ...more },
            (result, admittedAt) => resolve({ result, requestId, admittedAt }),
          ),
      )
    }

    const usageRow = (schema: string, requestId: string) =>
      db.asSuperuser(async (client) => {
        const { rows } = await client.query(
          `select route, status, latency_bucket, cache_hit, plan from ${schema}.usage where request_id = $1`,
          [requestId],
        )
        return rows
      })

    it("admits a good key and leaves one row whose outcome is unknown until it is told", async () => {
      const admission = new Admission(db.database, "live")
      const { key } = await issue("live")
      const { result, requestId, admittedAt } = await ask(admission, key)
      assert.ok(!(result instanceof Problem), String(result))
      const row = {
        route: 1,
        status: null,
        latency_bucket: null,
        cache_hit: null,
        plan: "unlimited",
      }
      assert.deepEqual(await usageRow("live", requestId), [row])
      const { tenantId } = result
      const end = { tenantId, admittedAt, requestId, latencyBucket: 4, cacheHit: false }
      await admission.finish({ ...end, status: 200 })
      const done = { ...row, status: 200, latency_bucket: 4, cache_hit: false }
      assert.deepEqual(await usageRow("live", requestId), [done])
      await admission.finish({ ...end, status: 500 })
      assert.deepEqual(await usageRow("live", requestId), [done], "a late outcome changes nothing")
    })

    it("an outcome that is known is recorded in the same statement", async () => {
      const admission = new Admission(db.database, "live")
      const outcome = { status: 200, latencyBucket: 0, cacheHit: true }
      const { requestId } = await ask(admission, (await issue("live")).key, { outcome })
      assert.deepEqual(await usageRow("live", requestId), [
        { route: 1, status: 200, latency_bucket: 0, cache_hit: true, plan: "unlimited" },
      ])
    })

    it("refuses from the moment a revocation commits, also a caller that it knows", async () => {
      const admission = new Admission(db.database, "live")
      const { id, key } = await issue("live")
      assert.ok(!((await ask(admission, key)).result instanceof Problem))
      await db.admin.asOperator((tx) => revokeKey(tx, operator("test"), id))
      const { result, requestId } = await ask(admission, key)
      assert.ok(result instanceof Problem)
      assert.equal(result.code, "KEY_REVOKED")
      const [row] = await usageRow("live", requestId)
      assert.equal(row?.status, 401, "a refusal to a known tenant is an answer too")
    })

    for (const [code, change] of [
      ["KEY_EXPIRED", "expires_at = clock_timestamp() - interval '1 ms'"],
      ["KEY_DISABLED", "disabled_at = clock_timestamp() + interval '1 day'"],
      ["KEY_REVOKED", "revoked_at = clock_timestamp() + interval '1 day'"],
    ] as const) {
      it(`${code}: ${change.replace(/ .*/, "")} counts, whatever the clocks say`, async () => {
        const { key } = await issue("live")
        await db.asSuperuser((client) =>
          client.query(`update live.api_key set ${change} where digest = sha256($1)`, [
            Buffer.from(key),
          ]),
        )
        const { result } = await ask(new Admission(db.database, "live"), key)
        assert.ok(result instanceof Problem)
        assert.equal(result.code, code)
      })
    }

    it("a key that expires later is good until then", async () => {
      const { key } = await issue("live", "acme", new Date(Date.now() + 3_600_000))
      assert.ok(!((await ask(new Admission(db.database, "live"), key)).result instanceof Problem))
    })

    it("the look-up index alone lets nobody in (K2)", async () => {
      const { key } = await issue("live")
      const parts = readKey(key)
      const admission = new Admission(db.database, "live")
      const { result, requestId } = await ask(admission, key, { digest: "00".repeat(32) })
      assert.ok(parts && result instanceof Problem)
      assert.equal(result.code, "INVALID_KEY")
      assert.deepEqual(await usageRow("live", requestId), [], "nobody's request leaves no row")
    })

    it("of two keys with one look-up index, each is its own tenant's", async () => {
      const first = await issue("live", "one")
      const second = await issue("live", "two")
      await db.asSuperuser((client) =>
        client.query(
          "update live.api_key set index8 = 'AAAAAAAA' where digest in (sha256($1), sha256($2))",
          [Buffer.from(first.key), Buffer.from(second.key)],
        ),
      )
      const admission = new Admission(db.database, "live")
      const results = await Promise.all(
        [first, second].map(({ key }) => ask(admission, key, { index8: "AAAAAAAA" })),
      )
      const tenants = results.map(({ result }) => result instanceof Problem || result.tenantId)
      assert.equal(new Set(tenants).size, 2)
      assert.ok(tenants.every((tenant) => typeof tenant === "string"))
    })

    it("K6: a test key is good in the sandbox alone and leaves no live row", async () => {
      const { key } = await issue("test")
      const live = await ask(new Admission(db.database, "live"), key)
      assert.ok(live.result instanceof Problem)
      const sandbox = await ask(new Admission(db.database, "test"), key)
      assert.ok(!(sandbox.result instanceof Problem))
      assert.equal((await usageRow("sandbox", sandbox.requestId)).length, 1)
      assert.equal((await usageRow("live", sandbox.requestId)).length, 0)
    })

    it("a thousand at once are admitted in few statements, each with its row", async () => {
      const { key } = await issue("live", "crowd")
      const admission = new Admission(db.database, "live")
      const { result: caller } = await ask(admission, key)
      assert.ok(!(caller instanceof Problem))
      const results = await Promise.all(Array.from({ length: 1_000 }, () => ask(admission, key)))
      assert.ok(results.every(({ result }) => !(result instanceof Problem)))
      const [count] = await db.asSuperuser(async (client) => {
        const { rows } = await client.query(
          `select count(*)::int as rows, count(distinct u.at)::int as statements
            from live.usage u where u.tenant_id = $1`,
          [caller.tenantId],
        )
        return rows
      })
      assert.equal(count.rows, 1_001)
      assert.ok(count.statements <= 5, `${count.statements} statements`)
    })
  })
}
