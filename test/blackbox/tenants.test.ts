/** Tenants by the command line, beside a running server. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { Program } from "../program.ts"
import { environment, runCommand, startProgram } from "../program.ts"

describe("tenants", () => {
  let program: Program
  before(async () => {
    program = await startProgram()
  })
  after(() => program.stop())
  const zygentrust = (...args: string[]) => runCommand(args, environment(program.dataDir))
  const json = async (...args: string[]) => JSON.parse((await zygentrust(...args, "--json")).stdout)
  const issue = () =>
    json("keys", "issue", "--tenant", "Quiet Ltd", "--environment", "test", "--name", "till")
  const ask = (key: string) => program.ask("/v1/analyze?domain=approve.test", { key })

  it("are listed, and erased for good: keys refused, names gone, the name free again", async () => {
    const { key } = await issue()
    assert.equal((await ask(key)).status, 200)
    const { tenants } = await json("tenants", "list")
    const { id } = tenants.at(-1)
    assert.deepEqual(tenants.at(-1).name, "Quiet Ltd")
    assert.deepEqual(tenants.at(-1).keys, { live: 0, test: 1 })

    const unsure = await zygentrust("tenants", "erase", id)
    assert.equal(unsure.code, 2)
    assert.match(unsure.stderr, /cannot be undone/)
    assert.equal((await ask(key)).status, 200)

    const erased = await zygentrust("tenants", "erase", id, "--confirm", id)
    assert.equal(erased.stdout, `${id} is erased, and 1 of its keys revoked.\n`)
    const refused = await ask(key)
    assert.deepEqual([refused.status, refused.json.error.code], [401, "KEY_REVOKED"])
    const after = await json("tenants", "list")
    assert.deepEqual(after.tenants.at(-1).name, null)
    const { keys } = await json("keys", "list")
    assert.deepEqual([keys.at(-1).tenant, keys.at(-1).name], ["(erased)", "(erased)"])

    const twice = await zygentrust("tenants", "erase", id, "--confirm", id)
    assert.equal(twice.code, 1)
    assert.match(twice.stderr, /was erased before/)
    assert.equal((await ask((await issue()).key)).status, 200)
  })

  it("an id that is nobody's is refused", async () => {
    const { code, stderr } = await zygentrust("tenants", "erase", "ten_x", "--confirm", "ten_x")
    assert.equal(code, 1)
    assert.match(stderr, /There is no tenant ten_x/)
  })
})
