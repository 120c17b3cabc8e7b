/** A key's whole life by the command line, and what the API says to it from each change on. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { Program } from "../program.ts"
import { environment, runCommand, startProgram } from "../program.ts"

const NOBODY = "key_01h455vb4pex5vsknk084sn02q"

describe("a key's life", () => {
  let program: Program
  before(async () => {
    program = await startProgram()
  })
  after(() => program.stop())
  const keys = (...args: string[]) => runCommand(["keys", ...args], environment(program.dataDir))
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await keys(...args, "--json")
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  const issue = (...more: string[]) =>
    json("issue", "--tenant", "Till Ltd", "--environment", "test", "--name", "till", ...more)
  const ask = async (key: string, path = "/v1/usage") => {
    const { status, json: body } = await program.ask(path, { key })
    return status === 200 ? "served" : body.error.code
  }

  it("is shown, never whole, with who issued it and its last use to the minute", async () => {
    const { id, key } = await issue()
    const unused = await json("show", id)
    assert.equal(unused.last_used_at, null)
    assert.equal(await ask(key), "served")
    const shown = await json("show", id)
    assert.deepEqual(
      [shown.name, shown.tenant, shown.state, shown.addresses, shown.scopes],
      ["till", "Till Ltd", "good", null, ["analyze", "usage:read"]],
    )
    assert.match(shown.last_used_at, /:00\.000Z$/)
    assert.match(shown.issued_by, /^cli:/)
    const { stdout } = await keys("show", id)
    assert.match(stdout, /^issued {7}.*Z by cli:.*\nreplaced by {2}none\nlast used {4}2.*Z\n$/m)
    for (const text of [stdout, JSON.stringify(shown)]) assert.ok(!text.includes(key))
  })

  it("is renamed", async () => {
    const { id } = await issue()
    assert.equal((await keys("rename", id, "till 2")).stdout, `${id} is named till 2.\n`)
    assert.equal((await json("show", id)).name, "till 2")
  })

  it("has what scopes and addresses it was issued with", async () => {
    const { id, key } = await issue("--scope", "usage:read", "--address", "203.0.113.7")
    assert.deepEqual((await json("show", id)).addresses, ["203.0.113.7/32"])
    assert.equal(await ask(key), "ADDRESS_NOT_ALLOWED")
    await json("addresses", id, "203.0.113.0/24", "127.0.0.0/8", "::1")
    assert.equal(await ask(key), "served")
    assert.equal(await ask(key, "/v1/analyze?domain=approve.test"), "INSUFFICIENT_SCOPE")
  })

  it("changes hold from the next request, and are undone", async () => {
    const { id, key } = await issue()
    for (const [args, code] of [
      [["scopes", id, "analyze"], "INSUFFICIENT_SCOPE"],
      [["scopes", id, "analyze", "usage:read"], "served"],
      [["addresses", id, "2001:db8::/32"], "ADDRESS_NOT_ALLOWED"],
      [["addresses", id, "any"], "served"],
      [["disable", id], "KEY_DISABLED"],
      [["disable", id], "KEY_DISABLED"],
      [["enable", id], "served"],
      [["enable", id], "served"],
      [["expire", id, "2099-01-01T00:00:00Z"], "served"],
      [["expire", id, "never"], "served"],
      [["revoke", id], "KEY_REVOKED"],
      [["revoke", id], "KEY_REVOKED"],
    ] as const) {
      await json(...args)
      assert.equal(await ask(key), code, args.join(" "))
    }
    const { stderr, code } = await keys("enable", id)
    assert.equal(code, 1)
    assert.match(stderr, /was revoked for good/)
  })

  it("ends by itself at its expiry, for good", async () => {
    const { id, key } = await issue()
    const end = new Date(Date.now() + 1_500).toISOString()
    await json("expire", id, end)
    while (Date.now() <= Date.parse(end)) await new Promise((done) => setTimeout(done, 50))
    assert.equal(await ask(key), "KEY_EXPIRED")
    assert.match((await keys("expire", id, "never")).stderr, /has expired: issue another/)
  })

  it("is rotated at once: the old one ends with the command, bounds and name go on", async () => {
    const { id, key } = await issue("--scope", "usage:read", "--address", "127.0.0.0/8")
    const rotated = await json("rotate", id)
    assert.equal(await ask(key), "KEY_REVOKED")
    assert.equal(await ask(rotated.key), "served")
    const [old, young] = [await json("show", id), await json("show", rotated.id)]
    assert.deepEqual([old.replaced_by, old.revoked_at], [rotated.id, rotated.old_key_ends_at])
    assert.deepEqual(
      [young.name, young.scopes, young.addresses],
      ["till", ["usage:read"], ["127.0.0.0/8"]],
    )
  })

  it("is rotated with an overlap, whose end is shown: both are good, and it is not rotated again", async () => {
    const { id, key } = await issue()
    const { code, stdout, stderr } = await keys("rotate", id, "--overlap", "24h")
    assert.equal(code, 0)
    const [, end = ""] = /which ends at (\S+)\.\n/.exec(stderr) ?? []
    assert.ok(Math.abs(Date.parse(end) - Date.now() - 86_400_000) < 60_000, end)
    assert.deepEqual([await ask(key), await ask(stdout.trim())], ["served", "served"])
    assert.equal((await json("show", id)).expires_at, end)
    assert.match((await keys("rotate", id)).stderr, /was rotated already, to key_/)
  })

  for (const [what, args, code, message] of [
    ["an id that is nobody's", ["show", NOBODY], 1, /There is no key key_01h455/],
    ["an id that is nobody's, to be revoked", ["revoke", NOBODY], 1, /There is no key/],
    ["what is no id", ["disable", "till"], 1, /That is no key's id/],
    ["no id", ["rotate"], 2, /keys rotate takes one key's id/],
    ["two ids", ["revoke", NOBODY, NOBODY], 2, /keys revoke takes one key's id/],
    ["no name", ["rename", NOBODY], 2, /its new name/],
    ["a scope that is none", ["scopes", NOBODY, "all"], 1, /no scope 'all'; a key has some of:/],
    ["no duration", ["rotate", NOBODY, "--overlap", "1 day"], 2, /a duration like 90s/],
    ["an overlap too long", ["rotate", NOBODY, "--overlap", "31d"], 2, /30d at most/],
    ["a time without a zone", ["expire", NOBODY, "2099-01-01T00:00:00"], 2, /a time to come/],
    ["a time that is over", ["expire", NOBODY, "2001-01-01T00:00:00Z"], 2, /a time to come/],
    ["another's option", ["show", NOBODY, "--overlap", "1h"], 2, /keys show takes no --overlap/],
    ["no action", [], 2, /keys takes one of issue, list, show, rename/],
    ["an action that is none", ["toString"], 2, /keys has no 'toString'/],
  ] as const) {
    it(`refuses ${what}, and says what would be right`, async () => {
      const refused = await keys(...args)
      assert.match(refused.stderr, message)
      assert.equal(refused.code, code)
    })
  }

  it("refuses addresses that are none, and leaves the key as it was", async () => {
    const { id, key } = await issue()
    for (const address of ["shop.example", "10.0.0.1/8", "10.0.0.0/33"]) {
      const { code, stderr } = await keys("addresses", id, address)
      assert.equal(code, 1)
      assert.match(stderr, /An address is one of IPv4 or IPv6/)
    }
    assert.equal(await ask(key), "served")
  })
})
