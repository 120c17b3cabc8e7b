/** The check of the kill loop can fail: losses are made, and seen. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { EMBEDDED_DATABASE } from "../../src/db/setup.ts"
import { fileSecrets } from "../../src/secrets/files.ts"
import { Deployment } from "./deployment.ts"
import { asSuperuser, killDatabase } from "./kinds.ts"
import { COUNTED_SECRET, Ledger } from "./ledger.ts"

const ROUNDS = 20

describe("what the check of acknowledged writes sees", () => {
  const ledger = new Ledger()
  let deployment: Deployment
  before(async () => {
    deployment = await Deployment.begin(ledger)
    await deployment.up()
    while (ledger.counts.revoked === 0 || ledger.counts.answers < 20) await sleep(10)
    await Promise.all([deployment.kill("program"), deployment.kill("operator")])
    assert.deepEqual(await ledger.check(deployment.dataDir), [])
  })
  after(() => deployment.end())

  const newest = (where: string) =>
    `(select id from sandbox.api_key where ${where} order by created_at desc limit 1)`
  const answered = (status: number) =>
    `(select request_id from sandbox.usage where status = ${status} order by at limit 1)`
  for (const [what, plant, fault] of [
    [
      "an answer whose row is gone",
      `delete from sandbox.usage where request_id = ${answered(401)}`,
      /^no usage row with its outcome for request .* answered 401/,
    ],
    [
      "an answer whose outcome is not in its row",
      `update sandbox.usage set status = null where request_id = ${answered(200)}`,
      /^no usage row with its outcome for request .* answered 200/,
    ],
    [
      "a usage row that is there twice",
      `insert into sandbox.usage select tenant_id, request_id, key_id, clock_timestamp(), route,
        status, latency_bucket, cache_hit, units, plan from sandbox.usage limit 1`,
      /^2 usage rows/,
    ],
    ["a key that is gone", `delete from sandbox.api_key where id = ${newest("true")}`, /^no key/m],
    [
      "a revocation that is gone",
      `update sandbox.api_key set revoked_at = null where id = ${newest("revoked_at is not null")}`,
      /is not revoked$/m,
    ],
    [
      "an entry of the log that is gone",
      "delete from audit.entry where id = (select id from audit.entry where action = 'key.revoked' limit 1)",
      /entries of the log for \d+ key\.revoked/,
    ],
    [
      "an entry of the log that is there twice",
      `insert into audit.entry select gen_random_uuid(), at, actor, action, tenant_id, subject, details
        from audit.entry where action = 'key.issued' limit 1`,
      /entries of the log for \d+ key\.issued/,
    ],
  ] as const) {
    it(what, async () => {
      const found = await asSuperuser(deployment.dataDir, async (client) => {
        await client.query("begin")
        await client.query(plant)
        const faults = await ledger.faults(client)
        await client.query("rollback")
        return faults.join("\n")
      })
      assert.match(found, fault)
    })
  }

  it("a secret that is an older one", async () => {
    const secrets = fileSecrets(deployment.dataDir)
    const value = (await secrets.get(COUNTED_SECRET)) ?? ""
    await secrets.set(COUNTED_SECRET, `${ledger.counts.secret - 1} older`)
    assert.match((await ledger.check(deployment.dataDir)).join(), /^the secret is at/)
    await secrets.set(COUNTED_SECRET, value)
    assert.deepEqual(await ledger.check(deployment.dataDir), [])
  })

  it("commits that are acknowledged before they are written, and a crash that takes them", async () => {
    await asSuperuser(deployment.dataDir, (client) =>
      client.query(`alter database ${EMBEDDED_DATABASE} set synchronous_commit = off`),
    )
    let found: string[] = []
    for (let round = 0; round < ROUNDS && found.length === 0; round++) {
      killDatabase(deployment)
      await deployment.up()
      found = await ledger.check(deployment.dataDir)
    }
    assert.match(found.join("\n"), /^(no usage row|no key|key .* is not revoked)/m)
  })
})
