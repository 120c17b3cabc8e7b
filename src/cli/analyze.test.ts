import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { after, before, describe, it } from "node:test"
import { RULES } from "../engine/rules/rules.ts"
import { Analysis } from "../http/contract.ts"
import { width } from "./report-text.ts"

const PROGRAM = join(import.meta.dirname, "../../bin/zygentrust")
const SHOP = "lindenshop.test"

function analyze(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(PROGRAM, ["analyze", ...args], {
    env: { PATH: "/usr/bin:/bin", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  })
  const done = Promise.all([once(child, "close"), text(child.stdout), text(child.stderr)])
  return { child, result: done.then(([[code], out, err]) => ({ code, out, err })) }
}

describe("zygentrust analyze", { concurrency: 2, timeout: 120_000 }, () => {
  it("prints the API's document with --json, and nothing else", async () => {
    const asked = `https://www.${SHOP.toUpperCase()}/shop`
    const { code, out, err } = await analyze([asked, "--lab", "--json"]).result
    assert.deepEqual([code, err], [0, ""])
    const document = JSON.parse(out)
    assert.equal(document.metadata.request_id, undefined)
    const metadata = { ...document.metadata, request_id: "req_00000000000000000000000000" }
    const analysis = Analysis.parse({ ...document, metadata })
    assert.deepEqual([analysis.domain, analysis.normalized_domain], [asked, SHOP])
    const points = analysis.insights.reduce((sum, insight) => sum + insight.points, analysis.base)
    assert.equal(points, analysis.trust_score)
  })

  it("prints a report without escape sequences to a pipe, with every signal explained", async () => {
    const { code, out, err } = await analyze([SHOP, "--lab", "--explain"]).result
    assert.deepEqual([code, err], [0, ""])
    assert.match(out, /\d+\/100\n.*low risk · approve · confidence \d+ %/)
    assert.doesNotMatch(out, /(?!\n)\p{Cc}/u)
    for (const line of out.split("\n")) assert.ok(width(line) <= 80, line)
    for (const { code } of RULES)
      assert.match(out, new RegExp(`^ {2}${code} +(yes|no|unknown)`, "m"))
  })
})

describe("zygentrust analyze where nobody answers", () => {
  const silent = createSocket("udp4")
  before(() => once(silent.bind(0, "127.0.0.1"), "listening"))
  after(() => silent.close())

  it("says that no resolver answers, and names --lab", async () => {
    const closed = createSocket("udp4")
    await once(closed.bind(0, "127.0.0.1"), "listening")
    const { port } = closed.address()
    await new Promise<void>((resolve) => closed.close(resolve))
    const { code, out, err } = await analyze([SHOP], { ZT_RESOLVERS: `127.0.0.1:${port}` }).result
    assert.deepEqual([code, out], [1, ""])
    assert.match(err, /^zygentrust: No DNS resolver answers.*--lab/)
  })

  it("stops at Ctrl-C with exit 130, without a word", async () => {
    const resolver = `127.0.0.1:${silent.address().port}`
    const { child, result } = analyze([SHOP], { ZT_RESOLVERS: resolver })
    await once(silent, "message") // it observes by now
    child.kill("SIGINT")
    assert.deepEqual(await result, { code: 130, out: "", err: "" })
  })

  it("stops at SIGTERM with exit 143", async () => {
    const resolver = `127.0.0.1:${silent.address().port}`
    const { child, result } = analyze([SHOP], { ZT_RESOLVERS: resolver })
    await once(silent, "message")
    child.kill("SIGTERM")
    assert.deepEqual(await result, { code: 143, out: "", err: "" })
  })
})
