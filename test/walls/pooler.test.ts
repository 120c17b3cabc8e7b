/** Behind pgbouncer in transaction mode, over fewer connections than clients, everything still holds. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import pg from "pg"
import type { Login } from "../../src/db/connection.ts"
import { clientConfig, credentials } from "../../src/db/connection.ts"
import type { Database } from "../../src/db/database.ts"
import { sqlState } from "../../src/db/errors.ts"
import { openAdminDatabase, openDatabase } from "../../src/db/pool.ts"
import type { TestDatabase } from "../postgres.ts"
import { createDatabase } from "../postgres.ts"
import { assertFailed, attempt } from "./attack.ts"
import { crowd, gather, tenantOf } from "./crowd.ts"
import { LEFTOVERS, seen } from "./leftovers.ts"
import { PAYLOADS } from "./payloads.ts"
import type { Pooler } from "./pgbouncer.ts"
import { missing, startPooler } from "./pgbouncer.ts"
import { ALICE, BOB, furnish } from "./tenants.ts"

const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31))

for (const [major, auth] of [
  [18, "file"],
  [18, "query"],
  [15, "file"],
] as const) {
  describe(`pgbouncer, PostgreSQL ${major}, passwords by ${auth}, SEED=${SEED}`, {
    skip: missing,
  }, () => {
    let db: TestDatabase
    let pooler: Pooler
    let secrets: ReadonlySet<string>
    const opened: { close(): Promise<void> }[] = []
    before(async () => {
      db = await createDatabase(major)
      await db.asSuperuser(gather)
      secrets = await furnish(db)
      pooler = await startPooler(db, { auth, size: 5 })
    })
    after(async () => {
      await Promise.all(opened.map((one) => one.close()))
      await pooler.close()
      await db.drop()
    })

    const options = async (login: Login, at: Pooler) => ({
      address: { url: at.url },
      credentials: await credentials(db.secrets, login),
      onUnreachable: () => {},
    })
    const client = async (size = 5, at = pooler): Promise<Database> => {
      const database = openDatabase(await options("zt_runtime", at), size)
      opened.push(database)
      return database
    }

    it("lets the roles in by their passwords, and nobody by another", async () => {
      assert.deepEqual(await (await client()).call("select 1 as one"), [{ one: 1 }])
      const admin = openAdminDatabase(await options("zt_admin", pooler))
      opened.push(admin)
      await admin.asOperator((tx) => tx.query("select from platform.tenant limit 1"))
      const wrong = openDatabase(
        {
          ...(await options("zt_runtime", pooler)),
          credentials: { user: "zt_runtime", password: "x" },
        },
        5,
      )
      opened.push(wrong)
      await assert.rejects(wrong.call("select 1"))
    })

    it("keeps a time-out and a role's limits, which lie at the role", async () => {
      const [row] = await (await client()).asTenant<{ timeout: string }[]>("live", ALICE, (tx) =>
        tx.query("select current_setting('statement_timeout') as timeout"),
      )
      assert.equal(row?.timeout, "10s")
    })

    it("tenants over two programs' pools each see their own, whatever happens to others", async () => {
      const [one, two] = [await client(14), await client(14)]
      let turn = 0
      const both: Database = {
        ...one,
        asTenant: (...args) => (turn++ % 2 === 0 ? one : two).asTenant(...args),
      }
      const { wrong, looked } = await db.asSuperuser((superuser) =>
        crowd(both, {
          seed: SEED,
          tenants: 400,
          rounds: 2,
          mishapShare: 0.05,
          disturb: (how, pid) => superuser.query(`select pg_${how}_backend($1)`, [pid]),
        }),
      )
      assert.deepEqual(wrong, [])
      assert.ok(looked >= 800)
    })

    it("no payload of an injected expression tells or changes anything", async () => {
      const database = await client()
      for (const attack of PAYLOADS) {
        if (attack.what.startsWith("holds the database")) continue // as long as without a pooler
        assertFailed(attack, await attempt(database, "live", attack), secrets)
      }
    })

    it("one client's session is not another's", async () => {
      const single = await startPooler(db, { auth: "file", size: 1 })
      opened.push(single)
      const [alices, bobs] = [await client(5, single), await client(5, single)]
      const look = (leftover: (typeof LEFTOVERS)[number]) =>
        bobs.asTenant("live", BOB, (tx) => seen(tx, leftover)).catch((error) => sqlState(error))
      for (const leftover of LEFTOVERS) {
        const fresh = await look(leftover)
        await alices.asTenant("live", ALICE, (tx) => tx.query(leftover.leave))
        assert.equal(await look(leftover), fresh, leftover.what)
      }
    })

    it("would be, where neither the program nor the pooler cleans it", async () => {
      const careless = await startPooler(db, { auth: "file", size: 1, cleans: false })
      opened.push(careless)
      const { address, credentials: login } = await options("zt_runtime", careless)
      const [alice, bob] = [0, 1].map(() => new pg.Client(clientConfig(address, login)))
      await Promise.all([alice?.connect(), bob?.connect()])
      await alice?.query(
        `begin; select set_config('zt.tenant', '${ALICE}', true), set_config('role', 'zt_tenant', true);
          declare c cursor with hold for select id from live.analysis; commit`,
      )
      assert.equal((await bob?.query("fetch all from c"))?.rows.length, 2)
      await Promise.all([alice?.end(), bob?.end()])
    })

    it("ends nobody's transaction with another's", async () => {
      const single = await startPooler(db, { auth: "file", size: 1 })
      opened.push(single)
      const [one, two] = [await client(5, single), await client(5, single)]
      const order: string[] = []
      await Promise.all([
        one.asTenant("live", tenantOf(1), async (tx) => {
          await tx.query("select pg_sleep(0.1)")
          order.push("one")
          assert.equal((await tx.query("select id from live.analysis")).length, 1)
        }),
        two.asTenant("live", tenantOf(2), async (tx) => {
          const rows = await tx.query("select id from live.analysis")
          order.push("two")
          assert.deepEqual(rows, [{ id: tenantOf(2) }])
        }),
      ])
      assert.equal(order.length, 2)
    })
  })
}
