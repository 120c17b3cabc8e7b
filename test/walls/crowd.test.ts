/** I3: a thousand concurrent tenants over ten connections, each seeing only its own. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import pg from "pg"
import { clientConfig, credentials } from "../../src/db/connection.ts"
import type { Database } from "../../src/db/database.ts"
import { openDatabase } from "../../src/db/pool.ts"
import type { TestDatabase } from "../postgres.ts"
import { createDatabase } from "../postgres.ts"
import { NO_ROW_SECURITY } from "./attack.ts"
import { crowd, gather, TENANTS } from "./crowd.ts"

const CONNECTIONS = 10
/** Besides the four that are kept for calls. */
const POOL_SIZE = CONNECTIONS + 4
const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31))

for (const major of [18, 15] as const) {
  describe(`a thousand tenants, PostgreSQL ${major}, SEED=${SEED}`, () => {
    let db: TestDatabase
    let ten: Database
    before(async () => {
      db = await createDatabase(major)
      await db.asSuperuser(gather)
      const login = await credentials(db.secrets, "zt_runtime")
      ten = openDatabase(
        { address: { url: db.url }, credentials: login, onUnreachable: () => {} },
        POOL_SIZE,
      )
    })
    after(async () => {
      await ten.close()
      await db.drop()
    })

    const few = { seed: SEED, tenants: 50, rounds: 2, mishapShare: 0, disturb: async () => {} }

    it("each see their own, whatever happens to others", async () => {
      const { wrong, looked, failed } = await db.asSuperuser((client) =>
        crowd(ten, {
          seed: SEED,
          tenants: TENANTS,
          rounds: 2,
          mishapShare: 0.1,
          disturb: (how, pid) => client.query(`select pg_${how}_backend($1)`, [pid]),
        }),
      )
      assert.deepEqual(wrong, [])
      assert.ok(looked >= TENANTS * 2)
      for (const [how, times] of Object.entries(failed)) assert.ok(times > 10, `${how}: ${times}`)
    })

    it("would be seen to see others', with a pool that at times forgets to set the tenant", async () => {
      const login = clientConfig({ url: db.url }, await credentials(db.secrets, "zt_runtime"))
      const pool = new pg.Pool({ ...login, max: CONNECTIONS })
      const used = new Set<pg.PoolClient>()
      let lent = 0
      const careless = {
        ...ten,
        asTenant: async (_: string, tenant: string, work: (tx: unknown) => Promise<unknown>) => {
          const client = await pool.connect()
          if (!used.has(client) || ++lent % 5 !== 0) {
            used.add(client)
            await client.query("reset role")
            await client.query("select set_config('zt.tenant', $1, false)", [tenant])
            await client.query("set role zt_tenant")
          }
          const result = await work({
            query: async (text: string) => (await client.query(text)).rows,
          })
          client.release()
          return result
        },
      } as Database
      const { wrong } = await crowd(careless, few)
      await pool.end()
      assert.ok(wrong.length > 0)
    })

    it("would be seen to see others', without row security", async () => {
      await db.asSuperuser((client) => client.query(NO_ROW_SECURITY))
      const { wrong, looked } = await crowd(ten, few)
      assert.equal(wrong.length, looked)
    })
  })
}
