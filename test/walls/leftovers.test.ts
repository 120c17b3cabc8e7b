/** I3: nothing that one tenant's transaction leaves in its session is there for the next tenant's. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import pg from "pg"
import { clientConfig, credentials } from "../../src/db/connection.ts"
import type { Database } from "../../src/db/database.ts"
import { sqlState } from "../../src/db/errors.ts"
import { openDatabase } from "../../src/db/pool.ts"
import type { TestDatabase } from "../postgres.ts"
import { createDatabase } from "../postgres.ts"
import type { Leftover } from "./leftovers.ts"
import { LEFTOVERS, seen } from "./leftovers.ts"
import { ALICE, BOB, furnish } from "./tenants.ts"

/** Four connections for calls, and one for tenants. */
const ONE = 5

for (const major of [18, 15] as const) {
  describe(`a connection between two tenants, PostgreSQL ${major}`, () => {
    let db: TestDatabase
    before(async () => {
      db = await createDatabase(major)
      await furnish(db)
    })
    after(() => db.drop())

    for (const ending of ["committed", "rolled back"] as const) {
      for (const leftover of LEFTOVERS) {
        it(`carries over nothing: ${leftover.what}, ${ending}`, async () => {
          const one = openDatabase(await options(), ONE)
          const fresh = await look(one, leftover)
          const left = one.asTenant("live", ALICE, async (tx) => {
            await tx.query(leftover.leave)
            if (ending === "rolled back") throw new Error("never mind")
          })
          await left.catch(() => {})
          assert.equal(await look(one, leftover), fresh)
          await one.close()
        })
      }
    }

    it("would carry over all of it, if nobody discarded it", async () => {
      const login = await options()
      for (const leftover of LEFTOVERS) {
        const client = new pg.Client(clientConfig(login.address, login.credentials))
        await client.connect()
        const begin = (tenant: string) =>
          client.query(
            `begin; select set_config('zt.tenant', '${tenant}', true), set_config('role', 'zt_tenant', true)`,
          )
        const lookNow = async (tenant: string) => {
          try {
            await begin(tenant)
            return JSON.stringify((await client.query(leftover.look)).rows)
          } catch (error) {
            return sqlState(error)
          } finally {
            await client.query("rollback")
          }
        }
        const fresh = await lookNow(BOB)
        await begin(ALICE)
        await client.query(leftover.leave)
        await client.query("commit")
        if (leftover.what === "a tenant") {
          // The one thing that every transaction sets anew.
          assert.equal(await lookNow(BOB), fresh)
        } else assert.notEqual(await lookNow(BOB), fresh, leftover.what)
        await client.end()
      }
    })

    async function options() {
      return {
        address: { url: db.url },
        credentials: await credentials(db.secrets, "zt_runtime"),
        onUnreachable: () => {},
      }
    }
  })
}

function look(database: Database, leftover: Leftover): Promise<string> {
  return database
    .asTenant("live", BOB, (tx) => seen(tx, leftover))
    .catch((error) => String(sqlState(error)))
}
