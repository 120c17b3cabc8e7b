import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { machine } from "../test/machines.ts"
import { readConfig } from "./config.ts"
import type { Database } from "./db/database.ts"
import type { Server } from "./db/server.ts"
import { databaseProbe, storageProbe } from "./probes.ts"

const SERVER = { embedded: true, version: "18.4" } as Server

function probe(call: () => Promise<object[]>, failedAts: (number | undefined)[]) {
  const admissions = failedAts.map((failedAt) => ({ failedAt }))
  return databaseProbe({ call } as unknown as Database, SERVER, admissions)()
}

describe("what health says of the database", () => {
  const now = performance.now()
  for (const [failedAts, answers, state, because] of [
    [[undefined, undefined], true, "ok", "it answers and nothing failed"],
    [[undefined, now - 1_000], true, "down", "it answers, and did not take a row a second ago"],
    [[now - 11_000, undefined], true, "ok", "that was so long ago that requests are let in again"],
    [[undefined, undefined], false, "down", "it does not answer"],
  ] as const) {
    it(`${state}: ${because}`, async () => {
      const call = () => (answers ? Promise.resolve([]) : Promise.reject(new Error("gone")))
      assert.equal((await probe(call, [...failedAts])).state, state)
    })
  }
})

describe("what health says of the disks", () => {
  const config = readConfig({ ZT_DATA_DIR: "/zt" })

  it("what is known, as words: nothing of it makes the deployment less well", async () => {
    const { state, message } = await storageProbe(config, Date.now, machine({}))()
    assert.equal(state, "ok")
    assert.match(message, /^disk encryption under the data folder: unknown, swap: unknown/)
  })

  it("does not wait for a look that hangs, nor looks again at once", async () => {
    let looks = 0
    const text = () => {
      looks++
      return new Promise<undefined>(() => {})
    }
    const probe = storageProbe(config, () => 0, { ...machine({}), text })
    assert.deepEqual(await probe(), { state: "ok", message: "disk encryption: not known yet" })
    const before = looks
    await probe()
    assert.equal(looks, before)
  })
})
