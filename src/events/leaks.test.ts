/** Reports of leaked keys on a real database: disabled by the plan's rule, once, audited. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { memorySecrets } from "../../test/memory-secrets.ts"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import type { Environment } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import { generateKey, readKey } from "../keys/format.ts"
import { issueKey } from "../keys/keys.ts"
import { disableKey, enableKey, operator, revokeKey } from "../keys/life.ts"
import { Keyring } from "../secrets/keyring.ts"
import { savePlan } from "../usage/plans.ts"
import { reportLeaks } from "./leaks.ts"

const ACTOR = "cli:test"

for (const major of [18, 15] as const) {
  describe(`leaked keys on PostgreSQL ${major}`, () => {
    let db: TestDatabase
    let keyring: Keyring
    before(async () => {
      db = await createDatabase(major)
      keyring = await Keyring.open(memorySecrets())
      await db.admin.asOperator((tx) => savePlan(tx, "lenient", { on_leak: "notify" }, ACTOR))
    })
    after(() => db.drop())
    const issue = (environment: Environment, plan: "unlimited" | "lenient" = "unlimited") =>
      db.admin.asOperator((tx) =>
        issueKey(tx, keyring, { tenant: plan, plan, environment, name: "till", actor: ACTOR }),
      )
    const report = (...keys: string[]) =>
      reportLeaks(
        db.database,
        "github",
        keys.flatMap((key) => readKey(key) ?? []),
      )
    const seen = async (environment: Environment, id: string) =>
      db.asSuperuser(async (client) => {
        const { rows: audited } = await client.query(
          "select actor, details from audit.entry where action = 'key.leaked' and subject = $1",
          [id],
        )
        const schema = SCHEMAS[environment]
        const { rows: told } = await client.query(
          `select e.detail, k.disabled_at is not null as disabled, k.disabled_by
            from ${schema}.api_key k left join ${schema}.event e on e.key_id = k.id
            where platform.public_id('key', k.id) = $1`,
          [id],
        )
        return { audited, told }
      })

    for (const environment of ["live", "test"] as const) {
      for (const [plan, action] of [
        ["unlimited", "disabled"],
        ["lenient", "notified"],
      ] as const) {
        it(`a ${environment} key on the plan ${plan} is ${action}, once`, async () => {
          const { key, id } = await issue(environment, plan)
          assert.equal(await report(key, key), 1, "twice in one report")
          assert.equal(await report(key), 0, "and in another")
          const detail = { partner: "github", action }
          const disabled = action === "disabled"
          assert.deepEqual(await seen(environment, id), {
            audited: [{ actor: "program", details: detail }],
            told: [{ detail, disabled, disabled_by: disabled ? "program" : null }],
          })
        })
      }
    }

    it("what nobody has is nothing, also where it begins like a key", async () => {
      const { key } = await issue("live")
      const read = readKey(key)
      assert.ok(read)
      assert.equal(await report(generateKey("live"), generateKey("test")), 0)
      assert.equal(
        await reportLeaks(db.database, "github", [{ ...read, digest: "00".repeat(32) }]),
        0,
      )
      assert.equal(await reportLeaks(db.database, "github", []), 0)
    })

    it("no key enables it again; an operator can, and a report sent again changes nothing", async () => {
      const { key, id } = await issue("live")
      await report(key)
      const [owner] = [{ actor: (await issue("live")).id, environments: ["live"] as const }]
      await assert.rejects(
        db.admin.asOperator((tx) => enableKey(tx, owner, id)),
        { code: "CONFLICT" },
      )
      await db.admin.asOperator((tx) => enableKey(tx, operator(ACTOR), id))
      await report(key)
      assert.equal((await seen("live", id)).told[0]?.disabled, false)
    })

    for (const [by, kept] of [
      [ACTOR, ACTOR],
      ["key_01kar0v9z8fjrbh3p5t7wxyqm4", "program"],
    ] as const) {
      it(`one that ${by} had disabled is then ${kept}'s`, async () => {
        const { key, id } = await issue("live")
        const author = { actor: ACTOR, environments: ["live"] as const }
        await db.admin.asOperator((tx) => disableKey(tx, author, id))
        await db.asSuperuser((client) =>
          client.query(
            "update live.api_key set disabled_by = $1 where platform.public_id('key', id) = $2",
            [by, id],
          ),
        )
        await report(key)
        assert.equal((await seen("live", id)).told[0]?.disabled_by, kept)
      })
    }

    it("a revoked one is told of, and left as it is", async () => {
      const { key, id } = await issue("live")
      await db.admin.asOperator((tx) => revokeKey(tx, operator(ACTOR), id))
      assert.equal(await report(key), 1)
      const { told } = await seen("live", id)
      assert.deepEqual(told, [
        { detail: { partner: "github", action: "none" }, disabled: false, disabled_by: null },
      ])
    })

    it("reports that meet each other, in any order, do not wait for each other", async () => {
      const keys = await Promise.all(Array.from({ length: 20 }, () => issue("live")))
      const texts = keys.map(({ key }) => key)
      const counts = await Promise.all(
        Array.from({ length: 8 }, (_, n) => report(...(n % 2 === 0 ? texts : texts.toReversed()))),
      )
      assert.equal(
        counts.reduce((sum, count) => sum + count),
        20,
      )
    })
  })
}
