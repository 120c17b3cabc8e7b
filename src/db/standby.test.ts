import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import type { StandbyRow } from "./standby.ts"
import { STANDBY, standbyOf } from "./standby.ts"

describe("what a failover would lose", () => {
  for (const [named, commits, senders, standby, because] of [
    [false, "on", 0, "none", "nobody takes the log"],
    [false, "on", 2, "asynchronous", "they follow, and no commit waits for them"],
    [true, "on", 1, "synchronous", "a commit waits for it"],
    [true, "remote_apply", 1, "synchronous", "and for more than that"],
    [true, "remote_write", 1, "synchronous", "it is with the standby's system"],
    [true, "on", 0, "missing", "commits wait for a standby that is not there"],
    [true, "local", 1, "asynchronous", "one is named, and commits do not wait"],
    [true, "off", 1, "volatile", "not even this server's disk is waited for"],
    [false, "off", 0, "volatile", "nor here"],
  ] as const) {
    it(`${standby}: ${because}`, () => {
      assert.equal(standbyOf({ named, commits, senders }), standby)
    })
  }
})

for (const major of [18, 15] as const) {
  describe(`who may ask for it (PostgreSQL ${major})`, () => {
    let db: TestDatabase
    before(async () => {
      db = await createDatabase(major)
    })
    after(() => db.drop())

    it("health may, and learns how many there are", async () => {
      const rows = await db.database.asHealth((tx) => tx.query<StandbyRow>(STANDBY))
      assert.deepEqual(rows, [{ named: false, commits: "on", senders: 0 }])
    })

    it("a customer's role may not", async () => {
      const none = "0193a000-0000-7000-8000-00000000000a"
      await assert.rejects(
        db.database.asTenant("live", none, (tx) => tx.query(STANDBY)),
        /permission denied for function pg_stat_get_wal_senders/,
      )
    })
  })
}
