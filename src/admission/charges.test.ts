/** What was charged, and how far ahead whose rate was, before each became one row (migration 0018). */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { emptyDatabase } from "../../test/backup.ts"
import { credentials, withClient } from "../db/connection.ts"
import { loadMigrations, migrate } from "../db/migrator.ts"

for (const major of [18, 15] as const) {
  describe(`charges of before on PostgreSQL ${major}`, () => {
    it("slices and months come to one row a tenant and month; of a rate the newest stays", async () => {
      const empty = await emptyDatabase(major)
      const { address, secrets } = empty
      const all = await loadMigrations()
      const before = all.findIndex(({ name }) => name.endsWith("_charges"))
      assert.ok(before > 0)
      await withClient(address, await credentials(secrets, "zt_migrate"), async (client) => {
        await migrate(client, all.slice(0, before))
        await client.query(`
          insert into live.period (tenant_id, month, units, folded_to) values
            (md5('a')::uuid, '2026-10-01', 700, 9), (md5('a')::uuid, '2026-11-01', 1000, 9);
          insert into live.slice (tenant_id, month, slice, units) values
            (md5('a')::uuid, '2026-11-01', 9, 20), (md5('a')::uuid, '2026-11-01', 10, 3),
            (md5('b')::uuid, '2026-11-01', 10, 5);
          insert into live.rate (tenant_id, holder, slice, tat) values
            (md5('a')::uuid, md5('a')::uuid, 9, 111), (md5('a')::uuid, md5('a')::uuid, 10, 222)`)
        await migrate(client, all)
        const { rows: charges } = await client.query(
          `select tenant_id = md5('a')::uuid as a, month::text, units::int, changes
            from live.charge order by month, a`,
        )
        assert.deepEqual(charges, [
          { a: true, month: "2026-10-01", units: 700, changes: 0 },
          { a: false, month: "2026-11-01", units: 5, changes: 0 },
          { a: true, month: "2026-11-01", units: 1023, changes: 0 },
        ])
        const { rows: rates } = await client.query(
          "select tat::int, changes from live.rate order by version desc limit 1",
        )
        assert.deepEqual(rates, [{ tat: 222, changes: 0 }])
      })
      await empty.drop()
    })
  })
}
