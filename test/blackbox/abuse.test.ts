/** Abuse, from requests to a finding, a throttle, an event, and back; by the running program. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { encodeId, newUuid } from "../../src/core/ids.ts"
import { RULES, SLOWEST } from "../../src/usage/abuse/rules.ts"
import type { Program } from "../program.ts"
import { environment, newDataDir, runCommand, startProgram } from "../program.ts"

const SETTINGS = { ZT_RESOLVERS: "127.0.0.1:9", ZT_ABUSE_EVERY_SECONDS: "1" }

describe("abuse", () => {
  let program: Program
  let dataDir: string
  let key: { id: string; key: string }
  before(async () => {
    dataDir = await newDataDir()
    program = await startProgram({ dataDir, environment: SETTINGS })
    key = await json(
      ...["keys", "issue", "--tenant", "Guess, Ltd", "--environment", "live", "--name", "guesses"],
      ...["--scope", "analyze", "--scope", "usage:read", "--scope", "keys:write"],
    )
  })
  after(() => program.stop())
  const zygentrust = (...args: string[]) => runCommand(args, environment(dataDir))
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await zygentrust(...args, "--json")
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  const ask = (target: string) => program.ask(target, { key: key.key })
  const policy = async () => (await ask("/v1/keys/me")).headers["ratelimit-policy"]
  const events = async () =>
    (await ask("/v1/events")).json.events.map((event: { kind: string; key: string }) => [
      event.kind,
      event.key,
    ])
  let finding: { id: string; [field: string]: unknown }

  it("nothing is there at first, and it says so", async () => {
    const { stdout, stderr } = await zygentrust("abuse", "list")
    assert.equal(stdout, "")
    assert.match(stderr, /^Nothing suspicious in the last day/)
    assert.deepEqual(await json("abuse", "list", "--all"), { findings: [], throttles: [] })
    const { abuse } = (await program.ask("/v1/health")).json.components
    assert.deepEqual(
      abuse.message,
      "nothing suspicious in the last day; looked for every 1 seconds",
    )
  })

  it("who guesses ids is found and held to a rate", async () => {
    // As many again, so that either hour has enough where one turns meanwhile.
    const guesses = Array.from({ length: 2 * RULES.identifiers.floor }, newUuid)
    const answers = await Promise.all(guesses.map((id) => ask(`/v1/keys/${encodeId("key", id)}`)))
    assert.ok(answers.every(({ status }) => status === 404))
    for (let found = []; found.length === 0; await sleep(200)) {
      found = (await json("abuse", "list")).findings
      finding = found[0]
    }
    assert.deepEqual(
      [finding["rule"], finding["key"], finding["state"]],
      ["identifiers", key.id, "throttled"],
    )
    const { perSecond, burst } = SLOWEST
    assert.equal(await policy(), `"rate";q=${burst};w=${burst / perSecond}`)
  })

  it("its owner is told by events, the operator by the log and, coarsely, by health", async () => {
    assert.deepEqual(await events(), [
      ["key_throttled", key.id],
      ["abuse_suspected", key.id],
    ])
    assert.match(program.stderr(), new RegExp(`"finding":"${finding.id}"`))
    const { checks } = JSON.parse((await zygentrust("doctor", "--json")).stdout)
    const [check] = checks.filter(({ check }: { check: string }) => check === "abuse")
    assert.equal(check.message, "1 suspicious thing in the last day, 1 throttled key")
    const { text, json: health } = await program.ask("/v1/health")
    assert.equal(
      health.components.abuse.message,
      "something suspicious was seen in the last day: bin/zygentrust abuse list",
    )
    assert.ok(!text.includes(key.id) && !text.includes(finding.id) && !text.includes("identifiers"))
  })

  it("show tells what was seen and the commands for it, disabling among them", async () => {
    const { stdout } = await zygentrust("abuse", "show", finding.id)
    assert.match(stdout, /noticed from 60\n/)
    assert.match(stdout, /: 1 a second until .* \(before: any\)/)
    assert.match(stdout, new RegExp(`zygentrust abuse lift ${finding.id}\n`))
    assert.match(stdout, new RegExp(`zygentrust keys disable ${key.id}`))
    const shown = await json("abuse", "show", finding.id)
    assert.equal(shown.throttles[0].key, key.id)
    const { stdout: list } = await zygentrust("abuse", "list")
    assert.match(
      list,
      new RegExp(`^${finding.id} .* throttled  identifiers \\d+ \\(from 60\\)  ${key.id}\n$`),
    )
  })

  it("lift puts back what the key had, at once", async () => {
    assert.deepEqual(await json("abuse", "lift", finding.id), { id: finding.id, keys: 1 })
    assert.equal(await policy(), undefined)
    assert.deepEqual((await events())[0], ["throttle_lifted", key.id])
    assert.equal(
      (await zygentrust("abuse", "lift", key.id)).stdout,
      `Nothing of ${key.id} is throttled.\n`,
    )
  })

  it("an operator's own throttle outlives a restart and a change of plan, and ends by itself", async () => {
    const held = await zygentrust("abuse", "throttle", key.id, "--rate", "3", "--for", "12h")
    assert.match(held.stdout, /^1 key held to 3 a second, 3 at once, until /)
    await program.stop()
    program = await startProgram({ dataDir, environment: SETTINGS })
    const { tenants } = await json("tenants", "list")
    await json("tenants", "plan", tenants.at(-1).id, "business")
    assert.equal(await policy(), '"rate";q=3;w=1, "month";q=250000;w=2592000')
    await json("abuse", "lift", tenants.at(-1).id)
    await json("abuse", "throttle", key.id, "--rate", "3", "--for", "1s")
    while (String(await policy()).startsWith('"rate";q=3;')) await sleep(200)
    assert.match(String(await policy()), /^"rate";q=500;/)
  })

  it("dismiss says until when its rule is quiet, and the list is empty again", async () => {
    const { stdout } = await zygentrust("abuse", "dismiss", finding.id, "--days", "7")
    assert.match(stdout, /is dismissed; its rule is quiet here until 20\d\d-/)
    assert.deepEqual((await json("abuse", "list")).findings, [])
    assert.equal((await json("abuse", "list", "--all")).findings[0].state, "dismissed")
  })

  for (const [what, args, code, message] of [
    ["nothing", [], 2, /abuse takes list, show, dismiss, throttle or lift/],
    ["what it does not know", ["stop"], 2, /abuse takes list, show/],
    ["an option of another", ["lift", "key_x", "--days", "3"], 2, /abuse lift takes no --days/],
    ["no id", ["show"], 2, /abuse show takes one id/],
    ["no rate", ["throttle", "key_x"], 2, /takes --rate/],
    ["a rate of zero", ["throttle", "key_x", "--rate", "0"], 2, /from 1 to 1000000, not '0'/],
    ["ever", ["throttle", "key_x", "--rate", "1", "--for", "90d"], 2, /30d at most/],
    ["what is no finding", ["show", "fnd_nothing"], 1, /That is no finding's id/],
    ["what is no key", ["throttle", "key_x", "--rate", "1"], 1, /no such key or tenant/],
  ] as const) {
    it(`refuses ${what}, and says what would be right`, async () => {
      const refused = await zygentrust("abuse", ...args)
      assert.equal(refused.code, code)
      assert.match(refused.stderr, message)
    })
  }
})
