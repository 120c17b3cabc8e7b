import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { insertTenant } from "../../test/tenant.ts"
import { credentials, withClient } from "../db/connection.ts"
import { sqlState } from "../db/errors.ts"
import type { AuditEntry } from "./append.ts"
import { append } from "./append.ts"

const TENANT = "0193a000-0000-7000-8000-00000000000a"
const ENTRY = {
  actor: "cli:alice",
  action: "tenant.created",
  tenantId: TENANT,
  subject: "ten_x",
  details: { plan: "unlimited" },
} as const satisfies AuditEntry

describe("the audit log", () => {
  let db: TestDatabase
  before(async () => {
    db = await createDatabase()
  })
  after(() => db.drop())

  const entries = (action: string) =>
    db.asSuperuser(async (client) => {
      const { rows } = await client.query(
        "select actor, action, tenant_id, subject, details from audit.entry where action = $1",
        [action],
      )
      return rows
    })

  it("holds each migration that was applied since it exists", async () => {
    const rows = await entries("database.migrated")
    assert.equal(rows[0]?.subject, "0003_audit_entries")
    assert.equal(rows[0]?.actor, "program")
  })

  it("an action that is not recorded does not happen", async () => {
    const action = db.admin.asOperator(async (tx) => {
      await insertTenant(tx, TENANT)
      await append(tx, { ...ENTRY, actor: "" })
    })
    await assert.rejects(action, (error) => sqlState(error) === "23514")
    const rows = await db.admin.asOperator((tx) => tx.query("select id from platform.tenant"))
    assert.deepEqual(rows, [])
  })

  it("an action that does not happen is not recorded", async () => {
    const action = db.admin.asOperator(async (tx) => {
      await append(tx, ENTRY)
      throw new Error("changed its mind")
    })
    await assert.rejects(action, /changed its mind/)
    assert.deepEqual(await entries(ENTRY.action), [])
  })

  it("an action and its entry commit together", async () => {
    await db.admin.asOperator(async (tx) => {
      await insertTenant(tx, TENANT)
      await append(tx, ENTRY)
    })
    assert.deepEqual(await entries(ENTRY.action), [
      {
        actor: "cli:alice",
        action: "tenant.created",
        tenant_id: TENANT,
        subject: "ten_x",
        details: { plan: "unlimited" },
      },
    ])
  })

  it("may stand without a tenant and without details", async () => {
    await db.admin.asOperator((tx) =>
      append(tx, { actor: "program", action: "key.issued", subject: "key_x" }),
    )
    const [entry] = await entries("key.issued")
    assert.deepEqual([entry?.tenant_id, entry?.details], [null, {}])
  })

  for (const statement of [
    "update audit.entry set actor = 'somebody else'",
    "delete from audit.entry",
    "truncate audit.entry",
  ]) {
    it(`nobody may ${statement}, the owner included`, async () => {
      const address = { url: db.url }
      const migrator = await credentials(db.secrets, "zt_migrate")
      for (const role of ["zt_migrate", "zt_owner", "zt_service"]) {
        await withClient(address, migrator, async (client) => {
          await client.query(`set role ${role}`)
          await assert.rejects(client.query(statement), (error) => sqlState(error) === "42501")
        })
      }
    })
  }
})
