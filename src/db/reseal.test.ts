import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import type { StoredObservation } from "../analyses/store.ts"
import { latestObservation, SEALED_ANALYSES, saveObservation } from "../analyses/store.ts"
import { readContact, SEALED_CONTACTS, saveContact } from "../events/contact.ts"
import { issueKey, listKeys } from "../keys/keys.ts"
import { askForKey, SEALED_REQUESTS } from "../keys/request.ts"
import { listRequests } from "../keys/requests.ts"
import { SEALED_KEYS } from "../keys/row.ts"
import { ensureTenant, SEALED_TENANTS } from "../keys/tenants.ts"
import { generateRootKey, Keyring } from "../secrets/keyring.ts"
import type { SecretStore } from "../secrets/store.ts"
import { credentials, runStatement, withClient } from "./connection.ts"
import type { Tx } from "./database.ts"
import type { SealedTable } from "./reseal.ts"
import { generationsOf, resealBatch, START } from "./reseal.ts"
import { tenantSeed } from "./tenant-seed.ts"

const TABLES: readonly SealedTable[] = [
  SEALED_TENANTS,
  SEALED_REQUESTS,
  SEALED_CONTACTS,
  ...SEALED_KEYS,
  ...SEALED_ANALYSES,
]
/** More than fit into a batch. */
const ASKING = ["a", "b", "c", "d", "a"]
const HOSTS = Array.from({ length: 7 }, (_, n) => `host${n}.test`)

for (const major of [18, 15] as const) {
  describe(`sealing again after a rotation of the root key, PostgreSQL ${major}`, () => {
    let db: TestDatabase
    let keyring: Keyring
    const generations = [{ number: 1, value: generateRootKey() }]
    const secrets = {
      getOrCreate: async () => "",
      generations: async () => [...generations],
    } as unknown as SecretStore
    const tenants: string[] = []
    before(async () => {
      db = await createDatabase(major)
      keyring = await Keyring.open(secrets)
      for (const tenant of ["acme", "bolt", "gone"]) {
        await db.admin.asOperator((tx) =>
          issueKey(tx, keyring, {
            tenant,
            environment: "live",
            name: `${tenant}'s`,
            actor: "test",
          }),
        )
        const { id } = await db.admin.asOperator((tx) => ensureTenant(tx, keyring, tenant, "test"))
        tenants.push(id)
        for (const host of HOSTS) await save(id, host)
        await db.admin.asOperator((tx) =>
          saveContact(tx, keyring, id, `${tenant}@shop.example`, "test"),
        )
      }
      for (const who of ASKING) await ask(who)
      await db.admin.asOperator((tx) =>
        tx.query("delete from platform.tenant_key where tenant_id = $1", [tenants[2]]),
      )
    })
    after(() => db.drop())

    const ask = (who: string, by = keyring) => {
      const applicant = { name: who, organisation: who, purpose: who, contact: `${who}@x.example` }
      return askForKey(db.database, by, applicant, undefined, { canMail: false, most: 100 })
    }
    const asOwner = async (tx: Tx, tenantId: string) => {
      const keys = await keyring.of(tenantId, () => tenantSeed(tx, tenantId))
      assert.ok(keys)
      return { environment: "live", tenantId, keyring, keys } as const
    }
    const save = (tenantId: string, host: string) =>
      db.database.asTenant("live", tenantId, async (tx) => {
        const observation = { name: { host }, observedAt: "2026-11-25T00:00:00.000Z" }
        const stored = { observation, expiresAt: new Date("2100-01-01") }
        const owner = await asOwner(tx, tenantId)
        await saveObservation(tx, owner, stored as unknown as StoredObservation)
      })
    const find = (tenantId: string, host: string) =>
      db.database.asTenant("live", tenantId, async (tx) =>
        latestObservation(tx, await asOwner(tx, tenantId), host, new Date()),
      )
    const asMigrator = async <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
      withClient({ url: db.url }, await credentials(db.secrets, "zt_migrate"), (client) =>
        work({
          query: async <Row extends object>(text: string, values?: readonly unknown[]) =>
            (await runStatement<Row>(client, text, values)).rows,
        }),
      )
    const used = () =>
      asMigrator(async (tx) => {
        const all = []
        for (const table of TABLES) all.push(...(await generationsOf(tx, table)))
        return [...new Set(all)].sort()
      })

    it("finds what an older generation sealed, replaces it in batches, and then nothing is left", async () => {
      generations.unshift({ number: 2, value: generateRootKey() })
      await keyring.reload()
      assert.deepEqual(await used(), [1])
      const counts = await asMigrator(async (tx) => {
        const done: Record<string, number> = {}
        for (const table of TABLES) {
          done[table.table] = 0
          for (let at: typeof START | undefined = START; at !== undefined; ) {
            const { count, next } = await resealBatch(tx, keyring, table, at, 3)
            assert.ok(count <= 3)
            done[table.table] = (done[table.table] ?? 0) + count
            at = next
          }
        }
        return done
      })
      assert.deepEqual(counts, {
        "platform.tenant": 2,
        "platform.key_request": ASKING.length,
        "platform.contact": 2,
        "live.api_key": 2,
        "sandbox.api_key": 0,
        "live.analysis": 2 * HOSTS.length,
        "sandbox.analysis": 0,
      })
      assert.deepEqual(await used(), [2])
    })

    it("all is found and opens when the old generation is gone", async () => {
      generations.pop()
      await keyring.reload()
      const fresh = await Keyring.open(secrets)
      const asked = await db.admin.asOperator((tx) => listRequests(tx, fresh, true))
      assert.deepEqual(asked.map(({ name }) => name).sort(), ASKING.toSorted())
      for (const who of ["a", "a"]) await ask(who, fresh) // found by address: the fourth is not kept
      const more = await db.admin.asOperator((tx) => listRequests(tx, fresh, true))
      assert.equal(more.length, ASKING.length + 1)
      const names = await db.admin.asOperator((tx) => listKeys(tx, fresh))
      assert.deepEqual(
        names.map(({ tenant, name }) => [tenant, name]),
        [
          ["acme", "acme's"],
          ["bolt", "bolt's"],
          ["(erased)", "(erased)"],
        ],
      )
      for (const tenant of tenants.slice(0, 2)) {
        for (const host of HOSTS) {
          assert.equal((await find(tenant, host))?.observation.name.host, host)
        }
      }
      const contact = await db.admin.asOperator((tx) => readContact(tx, fresh, tenants[1] ?? ""))
      assert.equal(contact, "bolt@shop.example")
      const again = await db.admin.asOperator((tx) => ensureTenant(tx, fresh, "acme", "test"))
      assert.deepEqual(again, { id: tenants[0], made: false })
    })
  })
}
