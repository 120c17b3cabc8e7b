/** Keys in clear on a real database: who exists is told once a day, and a flood is bounded. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { memorySecrets } from "../../test/memory-secrets.ts"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { generateKey, lookupIndex, readKey } from "../keys/format.ts"
import { issueKey } from "../keys/keys.ts"
import { Keyring } from "../secrets/keyring.ts"
import { KeysInClear } from "./in-clear.ts"

const parts = (key: string) => {
  const read = readKey(key)
  assert.ok(read)
  return read
}

for (const major of [18, 15] as const) {
  describe(`keys in clear on PostgreSQL ${major}`, () => {
    let db: TestDatabase
    let keyring: Keyring
    before(async () => {
      db = await createDatabase(major)
      keyring = await Keyring.open(memorySecrets())
    })
    after(() => db.drop())
    const issue = (environment: "live" | "test") =>
      db.admin.asOperator((tx) =>
        issueKey(tx, keyring, { tenant: "acme", environment, name: "till", actor: "cli:test" }),
      )
    const events = () =>
      db.asSuperuser(
        async (client) =>
          (await client.query("select * from live.event union all select * from sandbox.event"))
            .rows,
      )
    const make = (callAside: TestDatabase["database"]["callAside"] = db.database.callAside) => {
      const told: string[] = []
      const failed: unknown[] = []
      const keys = new KeysInClear({
        database: { callAside },
        told: (index8) => told.push(index8),
        failed: (error) => failed.push(error),
      })
      return { keys, told, failed }
    }

    it("who exists is told once a day by all instances together, who does not never", async () => {
      const [live, test] = [await issue("live"), await issue("test")]
      const [one, two] = [make(), make()]
      for (const { keys } of [one, two]) {
        for (let n = 0; n < 3; n++) {
          for (const { key } of [live, test]) keys.note(parts(key))
          keys.note(parts(generateKey("live")))
          await keys.flush()
        }
      }
      assert.deepEqual(one.told.sort(), [live, test].map(({ key }) => lookupIndex(key)).sort())
      assert.deepEqual(two.told, [])
      assert.equal((await events()).length, 2)
      await db.asSuperuser(
        (client) => client.query("update live.event set occasion = replace(occasion, '-', '+')"), // another day
      )
      const next = make()
      next.keys.note(parts(live.key))
      await next.keys.flush()
      assert.deepEqual(next.told, [lookupIndex(live.key)])
    })

    it("a revoked or expired key opens nothing, so nobody is told", async () => {
      const keys = [await issue("live"), await issue("live")]
      await db.asSuperuser(async (client) => {
        const ids = (await client.query("select id from live.api_key order by id desc limit 2"))
          .rows
        await client.query("update live.api_key set revoked_at = now() where id = $1", [ids[0].id])
        await client.query("update live.api_key set expires_at = now() where id = $1", [ids[1].id])
      })
      const { keys: clear, told } = make()
      for (const { key } of keys) clear.note(parts(key))
      await clear.flush()
      assert.deepEqual(told, [])
    })

    it("of a flood 500 at most are asked about at once, each once; nothing is asked without any", async () => {
      let asked = 0
      let calls = 0
      const { keys } = make(async (_text, values = []) => {
        calls++
        asked += (values[0] as string[]).length
        return []
      })
      const flood = Array.from({ length: 2_000 }, () => parts(generateKey("live")))
      for (const key of flood) keys.note(key)
      await keys.flush()
      assert.deepEqual([calls, asked], [1, 500])
      for (const key of flood.slice(0, 500)) keys.note(key)
      await keys.flush()
      assert.deepEqual([calls, asked], [1, 500])
    })

    it("what the database does not take is told later, at the latest at the end", async () => {
      const { key } = await issue("live")
      let away = true
      const { keys, told, failed } = make((text, values) =>
        away ? Promise.reject(new Error("away")) : db.database.callAside(text, values),
      )
      keys.note(parts(key))
      await keys.flush()
      assert.deepEqual([told, failed.length], [[], 1])
      away = false
      await keys.close()
      assert.deepEqual(told, [lookupIndex(key)])
    })
  })
}
