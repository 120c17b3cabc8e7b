/** Plans by the command line, and what the API says when one is used up. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { Program } from "../program.ts"
import { environment, runCommand, startProgram } from "../program.ts"

const TARGET = "/v1/analyze?domain=approve.test"

describe("plans", () => {
  let program: Program
  before(async () => {
    program = await startProgram({ environment: { ZT_RESOLVERS: "127.0.0.1:9" } })
  })
  after(() => program.stop())
  const zygentrust = (...args: string[]) => runCommand(args, environment(program.dataDir))
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await zygentrust(...args, "--json")
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  const issue = async (tenant: string, kind: string, ...more: string[]) =>
    (await json("keys", "issue", "--tenant", tenant, "--environment", kind, ...more)).key
  const ask = (key: string, target = TARGET) => program.ask(target, { key })

  it("starts with built-in ones, in a table and as JSON", async () => {
    const { stdout } = await zygentrust("plans", "list")
    assert.match(stdout, /^plan {6,}units\/month/)
    assert.match(stdout, /\nunlimited +any +any +any +any +any +1\n/)
    const { plans } = await json("plans", "list")
    assert.deepEqual(
      plans.map(({ name }: { name: string }) => name),
      ["business", "free", "starter", "unlimited"],
    )
  })

  it("a burst over HTTPS: 429 with what is left and when to come back", async () => {
    await json("plans", "set", "small", "--rate", "1", "--burst", "2")
    const key = await issue("Small Ltd", "test", "--plan", "small")
    const answers = await Promise.all([1, 2, 3, 4].map(() => ask(key)))
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 200, 429, 429])
    const refused = answers.find(({ status }) => status === 429)
    assert.equal(refused?.json.error.code, "RATE_LIMITED")
    assert.match(String(refused?.headers["retry-after"]), /^[12]$/)
    assert.equal(refused?.headers["ratelimit-policy"], '"rate";q=2;w=2')
    assert.match(String(refused?.headers["ratelimit"]), /^"rate";r=0;t=2$/)
    const served = answers.find(({ status }) => status === 200)
    assert.match(String(served?.headers["ratelimit"]), /^"rate";r=[01];t=[12]$/)
  })

  it("a month's units over HTTPS: 429 with what is left; usage itself costs nothing", async () => {
    await json("plans", "set", "month", "--units", "2")
    const key = await issue("Month Ltd", "live", "--plan", "month")
    const statuses = []
    for (let n = 0; n < 3; n++) statuses.push((await ask(key)).status)
    assert.deepEqual(statuses, [200, 200, 429])
    const refused = await ask(key)
    assert.equal(refused.json.error.code, "QUOTA_EXCEEDED")
    assert.match(String(refused.headers["ratelimit"]), /^"month";r=0;t=\d+$/)
    assert.ok(Number(refused.headers["retry-after"]) > 0)
    const usage = await ask(key, "/v1/usage")
    assert.equal(usage.status, 200)
    assert.equal(usage.json.plan, "month")
    assert.equal(usage.json.total.served, 2)
  })

  it("a change holds from the next request, of the plan and of the tenant", async () => {
    await json("plans", "set", "grows", "--units", "1")
    const key = await issue("Grows Ltd", "live", "--plan", "grows")
    assert.deepEqual([(await ask(key)).status, (await ask(key)).status], [200, 429])
    await json("plans", "set", "grows", "--units", "2")
    assert.deepEqual([(await ask(key)).status, (await ask(key)).status], [200, 429])
    const { tenants } = await json("tenants", "list")
    await json("tenants", "plan", tenants.at(-1).id, "unlimited")
    assert.equal((await ask(key)).status, 200)
  })

  it("as many keys of an environment as the plan allows", async () => {
    await json("plans", "set", "pair", "--keys", "2")
    for (const kind of ["live", "test", "live"]) await issue("Pair Ltd", kind, "--plan", "pair")
    const third = await zygentrust("keys", "issue", "--tenant", "Pair Ltd", "--environment", "live")
    assert.equal(third.code, 1)
    assert.match(third.stderr, /There are 2 live keys, as many as the plan 'pair' allows/)
  })

  for (const [what, args, code, message] of [
    ["a rate without a burst", ["set", "x", "--rate", "5"], 1, /a rate needs a burst/],
    ["a name that is none", ["set", "No Plan"], 1, /That is no plan/],
    ["no number", ["set", "x", "--units", "many"], 2, /--units takes a whole number, or none/],
    ["a plan that tenants are on", ["remove", "unlimited"], 1, /Tenants are on the plan/],
    ["a plan that is not there", ["remove", "nothing"], 1, /There is no plan 'nothing'/],
    ["nothing", [], 2, /plans takes list, set NAME or remove NAME/],
  ] as const) {
    it(`refuses ${what}, and says what would be right`, async () => {
      const refused = await zygentrust("plans", ...args)
      assert.equal(refused.code, code)
      assert.match(refused.stderr, message)
    })
  }

  it("an unused plan is removed", async () => {
    await json("plans", "set", "brief")
    assert.equal((await zygentrust("plans", "remove", "brief")).stdout, "brief is removed.\n")
  })
})
