/** Events on a real database: whose they are, told once, listed by pages; contacts sealed. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { memorySecrets } from "../../test/memory-secrets.ts"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { insertTenant } from "../../test/tenant.ts"
import { decodeId, encodeId, newUuid } from "../core/ids.ts"
import { sqlState } from "../db/errors.ts"
import { newSeed, saveTenantSeed } from "../db/tenant-seed.ts"
import { eraseTenant } from "../keys/tenants.ts"
import { Keyring } from "../secrets/keyring.ts"
import { clearContact, readContact, saveContact } from "./contact.ts"
import { appendEvent, listEvents } from "./events.ts"

for (const major of [18, 15] as const) {
  describe(`events on PostgreSQL ${major}`, () => {
    const [alice, bob] = [newUuid(), newUuid()]
    let db: TestDatabase
    let keyring: Keyring
    before(async () => {
      db = await createDatabase(major)
      keyring = await Keyring.open(memorySecrets())
      await db.admin.asOperator(async (tx) => {
        for (const tenant of [alice, bob]) {
          await insertTenant(tx, tenant)
          await saveTenantSeed(tx, tenant, newSeed())
        }
      })
    })
    after(() => db.drop())
    const runtime = () => ({ query: db.database.callAside })

    it("one is told once of an occasion, and always without one", async () => {
      const tell = (occasion?: string) =>
        appendEvent(runtime(), "live", alice, "key_sent_in_clear", {}, occasion ? { occasion } : {})
      assert.deepEqual(
        await Promise.all([tell("a"), tell("a"), tell("b")]).then(
          (told) => told.filter(Boolean).length,
        ),
        2,
      )
      assert.equal(await tell("a"), false)
      assert.equal(await tell(), true)
      assert.equal(await tell(), true)
    })

    it("a tenant sees its own, by pages, newest first; an operator everybody's", async () => {
      const keyId = newUuid()
      for (let n = 0; n < 5; n++) {
        const detail = { detector: "guessing", n }
        await db.admin.asOperator((tx) =>
          appendEvent(tx, "test", bob, "abuse_suspected", detail, { keyId }),
        )
      }
      const read = (tenant: string, before?: string) =>
        db.database.asTenant("test", tenant, (tx) => listEvents(tx, ["test"], { before }, 3))
      const first = await read(bob)
      const second = await read(bob, decodeId("evt", first[2]?.id ?? ""))
      assert.deepEqual(
        [...first, ...second].map(({ details }) => details["n"]),
        [4, 3, 2, 1, 0],
      )
      assert.equal(first[0]?.key, encodeId("key", keyId))
      assert.deepEqual(await read(alice), [])
      const all = await db.admin.asOperator((tx) =>
        listEvents(tx, ["live", "test"], { kind: "abuse_suspected", keyId }, 100),
      )
      assert.equal(all.length, 5)
    })

    for (const [what, statement] of [
      [
        "write one",
        "insert into live.event (tenant_id, kind, occasion, detail) values ($1, 'quota_80', 'x', '{}')",
      ],
      ["append one", "select live.append_event($1, 'quota_80', null, 'x', '{}')"],
      ["say it was mailed", "update live.event set mailed_at = now() where tenant_id = $1"],
      [
        "read where anybody is mailed",
        "select sealed_address from platform.contact where tenant_id = $1",
      ],
      ["report a leak", "select live.report_leaks(array[$1], '{}', '')"],
    ] as const) {
      it(`a tenant cannot ${what}`, async () => {
        await assert.rejects(
          db.database.asTenant("live", alice, (tx) => tx.query(statement, [alice])),
          (error) => sqlState(error) === "42501",
        )
      })
    }

    it("an id of SQL is a UUIDv7 of now, and shown as the program shows it", async () => {
      await db.asSuperuser(async (client) => {
        for (let n = 0; n < 50; n++) {
          const { rows } = await client.query(
            "select id, platform.public_id('key', id) as shown from platform.new_uuid() id",
          )
          const [{ id, shown }] = rows
          assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
          const age = Date.now() - Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)
          assert.ok(Math.abs(age) < 60_000, `${age} ms`)
          assert.equal(shown, encodeId("key", id))
        }
      })
    })

    it("a contact is sealed, replaced and cleared, and audited without its address", async () => {
      const actor = "cli:test"
      const act = <T>(work: (tx: Parameters<typeof readContact>[0]) => Promise<T>) =>
        db.admin.asOperator(work)
      const read = () => act((tx) => readContact(tx, keyring, alice))
      assert.equal(await read(), undefined)
      for (const address of ["first@shop.example", "second@shop.example"]) {
        await act((tx) => saveContact(tx, keyring, alice, address, actor))
        assert.equal(await read(), address)
      }
      await assert.rejects(
        act((tx) => saveContact(tx, keyring, alice, "a@shop.example, b@shop.example", actor)),
        { code: "INVALID_REQUEST" },
      )
      const rows = await db.asSuperuser(async (client) => [
        ...(await client.query("select t::text from platform.contact t")).rows,
        ...(await client.query("select e::text from audit.entry e where actor = $1", [actor])).rows,
      ])
      assert.equal(rows.length, 3)
      assert.ok(!JSON.stringify(rows).includes("shop"))
      await act((tx) => clearContact(tx, alice, actor))
      await act((tx) => clearContact(tx, alice, actor))
      assert.equal(await read(), undefined)
      await act((tx) => saveContact(tx, keyring, alice, "third@shop.example", actor))
      await act((tx) => eraseTenant(tx, encodeId("ten", alice), actor))
      const { length } = await act((tx) => tx.query("select from platform.contact"))
      assert.equal(length, 0, "erased with its tenant")
    })
  })
}
