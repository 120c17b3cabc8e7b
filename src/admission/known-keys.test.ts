/** Looking up strangers' keys: on a real database, and on one that does not answer. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { memorySecrets } from "../../test/memory-secrets.ts"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import type { Database, Environment } from "../db/database.ts"
import { generateKey, readKey } from "../keys/format.ts"
import { issueKey } from "../keys/keys.ts"
import { operator, revokeKey } from "../keys/life.ts"
import { Keyring } from "../secrets/keyring.ts"
import type { Known } from "./known-keys.ts"
import { KnownKeys } from "./known-keys.ts"

function ask(keys: KnownKeys, text: string): Promise<Known> {
  const key = readKey(text)
  assert.ok(key)
  return new Promise((resolve) => keys.ask(key.index8, key.digest, resolve))
}

for (const major of [18, 15] as const) {
  describe(`known keys on PostgreSQL ${major}`, () => {
    let db: TestDatabase
    let keyring: Keyring
    before(async () => {
      db = await createDatabase(major)
      keyring = await Keyring.open(memorySecrets())
    })
    after(() => db.drop())

    const issue = (environment: Environment) =>
      db.admin.asOperator((tx) =>
        issueKey(tx, keyring, { tenant: "acme", environment, name: "k", actor: "test" }),
      )

    for (const environment of ["live", "test"] as const) {
      it(`are those that somebody has, revoked ones too, in one look-up (${environment})`, async () => {
        const [good, revoked] = [await issue(environment), await issue(environment)]
        await db.admin.asOperator((tx) => revokeKey(tx, operator("test"), revoked.id))
        let statements = 0
        const counted: Pick<Database, "callAside"> = {
          callAside: (text, values) => {
            if (text.includes("known_keys")) statements++
            return db.database.callAside(text, values)
          },
        }
        const keys = new KnownKeys(counted, environment)
        const strangers = Array.from({ length: 300 }, () => generateKey(environment))
        const asked = [good.key, ...strangers, revoked.key, good.key]
        const answers = await Promise.all(asked.map((key) => ask(keys, key)))
        assert.deepEqual(
          answers.flatMap((known, n) => (known === "known" ? [n] : [])),
          [0, 301, 302],
        )
        assert.equal(statements, 1)
        await keys.close()
        const schema = environment === "live" ? "live" : "sandbox"
        const counts = await db.asSuperuser((client) =>
          client.query(`select sum(requests)::integer as n from ${schema}.unknown_key`),
        )
        assert.deepEqual(counts.rows, [{ n: 300 }])
        const usage = await db.asSuperuser((client) => client.query(`select from ${schema}.usage`))
        assert.equal(usage.rowCount, 0, "nothing is written a request")
      })
    }
  })
}

describe("known keys without an answer", () => {
  it("are bounded while they wait", async () => {
    const keys = new KnownKeys({ callAside: () => Promise.reject(new Error("away")) }, "live")
    const counts: Record<string, number> = {}
    const waiting = Array.from({ length: 10_050 }, () => {
      return new Promise<void>((resolve) =>
        keys.ask("a", "b", (known) => {
          counts[known] = (counts[known] ?? 0) + 1
          resolve()
        }),
      )
    })
    assert.deepEqual(counts, { busy: 50 })
    await Promise.all(waiting)
    assert.deepEqual(counts, { busy: 50, unavailable: 10_000 })
  })

  it("are answered at the deadline, and looked up again once the database is back", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] })
    let answerIt: () => void = () => {}
    const silent: Pick<Database, "callAside"> = {
      callAside: () => new Promise((resolve) => (answerIt = () => resolve([]))),
    }
    const keys = new KnownKeys(silent, "live")
    const said: string[] = []
    const asking = (name: string) => keys.ask("a", "b", (known) => said.push(`${name} ${known}`))
    asking("first")
    t.mock.timers.tick(20)
    await settled()
    asking("second")
    t.mock.timers.tick(3_000)
    assert.deepEqual(said, ["first unavailable", "second unavailable"])
    asking("third")
    assert.deepEqual(said.slice(2), ["third unavailable"], "at once, while it is stuck")
    answerIt()
    await settled()
    asking("fourth")
    t.mock.timers.tick(20)
    await settled()
    answerIt()
    await settled()
    assert.deepEqual(said.slice(3), ["fourth unknown"])
  })
})

describe("known keys among strangers", () => {
  it("wait for company, and no longer once somebody's is among them", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] })
    const sizes: number[] = []
    const counting: Pick<Database, "callAside"> = {
      callAside: async <Row>(_text: string, values: readonly unknown[] = []) => {
        const [index8s] = values as [string[]]
        sizes.push(index8s.length)
        return index8s.flatMap((index8, n) =>
          index8 === "good" ? [{ position: n + 1 } as Row] : [],
        )
      },
    }
    const keys = new KnownKeys(counting, "live")
    const askAndWait = async (index8: string, ms: number) => {
      keys.ask(index8, "b", () => {})
      t.mock.timers.tick(ms)
      await settled()
    }
    await askAndWait("bad", 20)
    assert.deepEqual(sizes, [1])
    await askAndWait("bad", 50)
    await askAndWait("good", 50)
    assert.deepEqual(sizes, [1, 2])
    await askAndWait("bad", 20)
    assert.deepEqual(sizes, [1, 2, 1])
  })
})

async function settled(): Promise<void> {
  for (let n = 0; n < 10; n++) await Promise.resolve()
}
