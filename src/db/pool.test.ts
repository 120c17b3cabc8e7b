import assert from "node:assert/strict"
import { randomUUID } from "node:crypto"
import { after, before, describe, it } from "node:test"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { insertTenant, labelIndex } from "../../test/tenant.ts"
import { Problem } from "../core/problem.ts"
import { credentials } from "./connection.ts"
import type { Tx } from "./database.ts"
import { NotConnected } from "./errors.ts"
import { openDatabase } from "./pool.ts"

const TENANT = "0193a000-0000-7000-8000-00000000000a"
const WHO = "select session_user, current_user, current_setting('zt.tenant', true) as tenant"

describe("connections", () => {
  let db: TestDatabase
  before(async () => {
    db = await createDatabase()
  })
  after(() => db.drop())

  for (const [environment, role] of [
    ["live", "zt_tenant"],
    ["test", "zt_sandbox"],
  ] as const) {
    it(`a tenant's transaction (${environment}) runs as ${role} with its tenant set`, async () => {
      const rows = await db.database.asTenant(environment, TENANT, (tx) => tx.query(WHO))
      assert.deepEqual(rows, [{ session_user: "zt_runtime", current_user: role, tenant: TENANT }])
    })
  }

  it("a call runs as zt_runtime itself", async () => {
    const rows = await db.database.call(WHO)
    assert.deepEqual(rows, [
      { session_user: "zt_runtime", current_user: "zt_runtime", tenant: null },
    ])
  })

  it("nothing of a transaction is left on its connection", async () => {
    const one = await single(db)
    await one.asTenant("live", TENANT, (tx) => tx.query("select 1"))
    await assert.rejects(one.asTenant("test", TENANT, (tx) => tx.query("select * from no_table")))
    const rows = await one.asTenant("live", "", (tx) => tx.query(WHO))
    assert.deepEqual(rows, [{ session_user: "zt_runtime", current_user: "zt_tenant", tenant: "" }])
    await one.close()
  })

  it("what rejects is rolled back, what resolves is committed", async () => {
    const insert = (tx: Tx, name: string) => insertTenant(tx, randomUUID(), name)
    await assert.rejects(
      db.admin.asOperator(async (tx) => {
        await insert(tx, "never")
        throw new Error("changed its mind")
      }),
      /changed its mind/,
    )
    await db.admin.asOperator((tx) => insert(tx, "kept"))
    const names = await db.admin.asOperator((tx) =>
      tx.query("select name_index from platform.tenant"),
    )
    assert.deepEqual(names, [{ name_index: labelIndex("kept") }])
  })

  it("work that rejects does not cost its connection", async () => {
    const one = await single(db)
    const pid = () => one.asTenant("live", TENANT, (tx) => tx.query("select pg_backend_pid()"))
    const before = await pid()
    await assert.rejects(
      one.asTenant("live", TENANT, () => Promise.reject(new Error("no"))),
      /no/,
    )
    assert.deepEqual(await pid(), before)
    await one.close()
  })

  it("work that swallows an error is not taken for committed", async () => {
    const work = db.admin.asOperator(async (tx) => {
      await tx.query("insert into no_table values (1)").catch(() => {})
      return "done"
    })
    await assert.rejects(work, /rolled back/)
  })

  it("a statement left behind does not reach the connection's next user", async () => {
    let left: Tx | undefined
    await db.database.asTenant("live", TENANT, async (tx) => {
      left = tx
    })
    await assert.rejects(left?.query("select 1") ?? Promise.resolve(), /over/)
  })

  it("tenants that hold every connection do not stop a call", async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const holders = Array.from({ length: 20 }, () =>
      db.database.asTenant("live", TENANT, async (tx) => {
        await tx.query("select 1")
        await held
      }),
    )
    assert.deepEqual(await db.database.call("select 1 as one"), [{ one: 1 }])
    release()
    await Promise.all(holders)
  })

  it("a lost connection is UNAVAILABLE, and the next statement opens another", async () => {
    const one = await single(db)
    const [before] = await one.asTenant<{ pid: number }[]>("live", TENANT, (tx) =>
      tx.query("select pg_backend_pid() as pid"),
    )
    const dying = one.asTenant("live", TENANT, async (tx) => {
      await db.asSuperuser((client) =>
        client.query("select pg_terminate_backend($1)", [before?.pid]),
      )
      await tx.query("select 1")
    })
    await assert.rejects(
      dying,
      (error) => isUnavailable(error) && !(error instanceof NotConnected), // it was sent
    )
    const [later] = await one.asTenant<{ pid: number }[]>("live", TENANT, (tx) =>
      tx.query("select pg_backend_pid() as pid"),
    )
    assert.notEqual(later?.pid, before?.pid)
    await one.close()
  })

  it("an idle connection that is lost harms nobody", async () => {
    const one = await single(db)
    await one.call("select 1")
    await db.asSuperuser((client) =>
      client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'zt_runtime' and datname = current_database()",
      ),
    )
    let rows: unknown
    while (rows === undefined) {
      rows = await one.call("select 1 as one").catch((error) => {
        assert.ok(isUnavailable(error)) // the news may come with the statement
        return undefined
      })
    }
    assert.deepEqual(rows, [{ one: 1 }])
    await one.close()
  })

  it("no server is UNAVAILABLE, and somebody is told", async () => {
    let told = 0
    const nowhere = openDatabase(
      {
        address: { socketFolder: "/nonexistent", database: "none" },
        credentials: { user: "zt_runtime", password: "" },
        onUnreachable: () => told++,
      },
      3,
    )
    const unsent = (error: unknown) => isUnavailable(error) && error instanceof NotConnected
    await assert.rejects(nowhere.call("select 1"), unsent)
    await assert.rejects(
      nowhere.asTenant("live", TENANT, (tx) => tx.query("select 1")),
      isUnavailable,
    )
    assert.equal(told, 2)
    await nowhere.close()
  })

  it("closing twice is closing once", async () => {
    const one = await single(db)
    await one.call("select 1")
    await Promise.all([one.close(), one.close()])
    await one.close()
  })
})

/** The smallest pool: one connection for tenants. */
async function single(db: TestDatabase) {
  return openDatabase(
    {
      address: { url: db.url },
      credentials: await credentials(db.secrets, "zt_runtime"),
      onUnreachable: () => {},
    },
    5,
  )
}

function isUnavailable(error: unknown): boolean {
  return error instanceof Problem && error.code === "UNAVAILABLE" && error.retryAfterSeconds === 1
}
