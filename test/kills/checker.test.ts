/** The check of the kill loop can fail: what a loss would look like is made by hand, and seen. */
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
    await sleep(200)
    await Promise.all([deployment.kill("program"), deployment.kill("operator")])
    assert.deepEqual(await ledger.check(deployment.dataDir), [])
  })
  after(() => deployment.end())

  const newest = (table: string, where = "true") =>
    `(select id from ${table} where ${where} order by created_at desc limit 1)`
  for (const [what, plant, fault] of [
    [
      "an answer whose row is gone",
      "delete from sandbox.usage where request_id = (select request_id from sandbox.usage where status = 401 order by at desc limit 1)",
      /^no usage row with its outcome for request .* answered 401/,
    ],
    [
      "an answer whose outcome was not written",
      "update sandbox.usage set status = null where request_id = (select request_id from sandbox.usage where status = 200 order by at desc limit 1)",
      /^no usage row with its outcome for request .* answered 200/,
    ],
    [
      "a row that is there twice",
      "insert into sandbox.usage select (u).* from (select u #= hstore('at', now()::text) as u from sandbox.usage u limit 1) x",
      /^2 usage rows/,
    ],
    ["a key that is gone", `delete from sandbox.api_key where id = ${newest("sandbox.api_key")}`, /^no key/],
    [
      "a revocation that is gone",
      `update sandbox.api_key set revoked_at = null where id = ${newest("sandbox.api_key", "revoked_at is not null")}`,
      /is not revoked$/,
    ],
    [
      "an entry of the log that is gone",
      "delete from audit.entry where id = (select id from audit.entry where action = 'key.revoked' limit 1)",
      /entries of the log for \d+ key\.revoked/,
    ],
  ] as const) {
    it(`${what}`, async () => {
      // Undone by the database that forgets it: the statement's session never commits.
      const faults = await ledger.check(deployment.dataDir, "all", plant)
      assert.match(faults.join("\n"), fault)
      assert.deepEqual(await ledger.check(deployment.dataDir), [], "only planted")
    })
  }
})
