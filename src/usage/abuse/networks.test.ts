/** Networks of a key: counted over instances, and nothing of an address kept; on a real database. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { TestDatabase } from "../../../test/postgres.ts"
import { createDatabase } from "../../../test/postgres.ts"
import { newUuid } from "../../core/ids.ts"
import { Networks, networkOf } from "./networks.ts"

describe("the network of an address", () => {
  for (const [address, network, because] of [
    ["192.0.2.77", "192.0.2", "a /24"],
    ["::ffff:192.0.2.77", "192.0.2", "the same, as a socket of both families has it"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1", "a /48"],
    ["2001:db8::1", "2001:db8:0", "zeros are written out"],
    ["::1", "0:0:0", "loopback"],
    ["fe80::1%eth0", "fe80:0:0", "without its zone"],
    ["2001:DB8:1::", "2001:db8:1", "one way of writing"],
    [undefined, undefined, "a connection that is gone has none"],
  ] as const) {
    it(`${address} → ${network}: ${because}`, () => assert.equal(networkOf(address), network))
  }
})

for (const major of [18, 15] as const) {
  describe(`networks of a key on PostgreSQL ${major}`, () => {
    const DAY_MS = 86_400_000
    const tenantId = newUuid()
    let db: TestDatabase
    let now = Date.now()
    before(async () => {
      db = await createDatabase(major)
    })
    after(() => db.drop())
    const instance = async (secretOf = (salt: Buffer) => salt.toString("hex")) => {
      const networks = new Networks({
        database: db.database,
        schema: "live",
        secretOf,
        now: () => now,
        everySeconds: 60,
      })
      await networks.flush() // learns the day's salt
      return networks
    }
    const count = async (keyId: string, at = now) => {
      const day = new Date(at).toISOString().slice(0, 10)
      const rows = await db.database.call<{ key_id: string; today: number; before: number[] }>(
        "select key_id, today, before from live.watched_networks($1, 1)",
        [day],
      )
      return rows.find((row) => row.key_id === keyId)
    }
    const address = (n: number) => `10.${n >> 8}.${n & 255}.${n % 250}`

    for (const many of [1, 3, 40, 150, 1_000, 20_000]) {
      it(`${many} networks are about ${many}, however often and by which instance they are seen`, async () => {
        const keyId = newUuid()
        // One secret in all runs: with random ones, a count in some hundreds is off by more than a fifth.
        const instances = [await instance(() => "one"), await instance(() => "one")]
        for (const [at, networks] of instances.entries()) {
          for (let n = 0; n < many; n++) {
            if (n % 3 === at) continue // a third is seen by both
            networks.see({ tenantId, keyId }, { remoteAddress: address(n) })
            networks.see({ tenantId, keyId }, { remoteAddress: address(n).replace(/\d+$/, "1") })
          }
          await networks.flush()
          await networks.flush()
        }
        const found = (await count(keyId))?.today ?? 0
        assert.ok(Math.abs(found - many) <= Math.max(1, 0.2 * many), `${found} for ${many}`)
      })
    }

    it("no row holds an address, a digest of one, or what would lead to one", async () => {
      const networks = await instance()
      const keyId = newUuid()
      networks.see({ tenantId, keyId }, { remoteAddress: "198.51.100.23" })
      await networks.flush()
      const rows = await db.asSuperuser(
        async (client) =>
          (await client.query("select * from live.network where key_id = $1", [keyId])).rows,
      )
      assert.deepEqual(Object.keys(rows[0]), ["tenant_id", "key_id", "day", "register", "rank"])
      assert.equal(rows.length, 1)
      // 256 registers of 33 ranks: of 16 million networks, thousands lie in the same place.
      assert.ok(rows[0].register < 256 && rows[0].rank <= 33)
    })

    it("with the day goes the salt: the count stays, and other sketches come", async () => {
      const keyId = newUuid()
      const networks = await instance()
      const connection = { remoteAddress: "203.0.113.9" }
      networks.see({ tenantId, keyId }, connection)
      await networks.flush()
      await db.asSuperuser(async (client) => {
        // As if it had been yesterday.
        await client.query("update live.network set day = day - 1")
        await client.query("update live.network_salt set day = day - 1")
      })
      await db.database.call("select live.tend_watch()")
      assert.equal(await count(keyId), undefined)
      const left = await db.asSuperuser(
        async (client) =>
          (
            await client.query(
              "select (select count(*) from live.network)::int as registers, (select count(*) from live.network_salt)::int as salts",
            )
          ).rows,
      )
      assert.deepEqual(left, [{ registers: 0, salts: 0 }])
      await networks.flush() // learns another salt
      networks.see({ tenantId, keyId }, connection)
      await networks.flush()
      const found = await count(keyId)
      assert.deepEqual(found?.before, [1])
      assert.equal(Math.round(found?.today ?? 0), 1)
    })

    it("what could not be written is written the next time", async () => {
      let broken = false
      const networks = new Networks({
        database: {
          callAside: async (text, values) => {
            if (broken && text.includes("add_networks")) throw new Error("away")
            return db.database.callAside(text, values)
          },
        },
        schema: "live",
        secretOf: (salt) => salt.toString("hex"),
        now: () => now,
        everySeconds: 60,
      })
      await networks.flush()
      const keyId = newUuid()
      networks.see({ tenantId, keyId }, { remoteAddress: "203.0.113.9" })
      broken = true
      await assert.rejects(networks.flush())
      broken = false
      await networks.flush()
      assert.equal(Math.round((await count(keyId))?.today ?? 0), 1)
    })

    it("before the salt is known, and on a day that is not told yet, nothing is counted", async () => {
      const keyId = newUuid()
      const networks = new Networks({
        database: db.database,
        schema: "live",
        secretOf: (salt) => salt.toString("hex"),
        now: () => now,
        everySeconds: 60,
      })
      networks.see({ tenantId, keyId }, { remoteAddress: "203.0.113.9" })
      await networks.flush()
      await networks.flush()
      assert.equal(await count(keyId), undefined)
      now += DAY_MS
      await networks.flush()
      networks.see({ tenantId, keyId }, { remoteAddress: "203.0.113.9" })
      await networks.flush()
      assert.equal(Math.round((await count(keyId))?.today ?? 0), 1)
      now -= DAY_MS
    })
  })
}
