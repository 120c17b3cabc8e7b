/** Commands on a deployment that is not there: in the wrong folder, they say so and make none. */
import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { environment, newDataDir, runCommand } from "../../test/program.ts"

const ID = "key_00000000000000000000000000"

describe("where there is no deployment", () => {
  let parent = ""
  before(async () => {
    parent = await newDataDir()
  })
  after(() => rm(parent, { recursive: true }))

  for (const args of [
    ["keys", "list"],
    ["keys", "issue", "--tenant", "acme", "--environment", "live"],
    ["keys", "revoke", ID],
    ["plans", "list"],
    ["tenants", "list"],
    ["usage"],
    ["backup", "one.age"],
    ["secrets", "rotate", "root-key"],
    ["secrets", "reseal"],
  ]) {
    it(args.join(" "), async () => {
      const folder = join(parent, "mistyped")
      const { code, stdout, stderr } = await runCommand(args, environment(folder))
      assert.equal(code, 1, stderr)
      assert.match(stderr, /There is no deployment in .*mistyped: .*start.*ZT_DATA_DIR/)
      assert.equal(stdout, "")
      assert.ok(!existsSync(folder), "it made the folder")
    })
  }
})
