/** `zygentrust start`: what it prints, how it ends, and what a second start finds. */
import assert from "node:assert/strict"
import { execFile, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync, statSync } from "node:fs"
import { chmod, mkdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import type { Program } from "../program.ts"
import { environment, newDataDir, runCommand, startProgram } from "../program.ts"

/** A resolver that is not there: the machine that runs this may have one or none. */
const OFFLINE = { ZT_RESOLVERS: "127.0.0.1:9" }

const NO_CURL =
  spawnSync("curl", ["--version"]).error !== undefined &&
  "curl is not installed, so NOBODY PASTED the printed line"

describe("start", () => {
  let dataDir = ""
  before(async () => {
    dataDir = await newDataDir()
  })
  after(() => rm(dataDir, { recursive: true, force: true }))

  it("shows keys at the first start alone, and ends at SIGTERM with 0", async () => {
    const first = await startProgram({ dataDir, environment: OFFLINE })
    assert.match(first.url, /^https:\/\/localhost:\d+$/)
    assert.match(first.keys?.live ?? "", /^zt_live_/)
    assert.match(first.keys?.test ?? "", /^zt_test_/)
    assert.match(readFileSync(first.ca, "utf8"), /BEGIN CERTIFICATE/)
    assert.equal(databaseRuns(dataDir), true, "the question finds a database that runs")
    const key = first.keys?.test ?? ""
    assert.equal((await first.ask("/v1/analyze?domain=approve.test", { key })).status, 200)
    assert.match(first.stderr(), /No DNS resolver answers.*--lab/s)
    assert.equal(await first.stop(), 0)
    assert.equal(databaseRuns(dataDir), false, "database stopped")

    const second = await startProgram({ dataDir, environment: OFFLINE })
    assert.equal(second.keys, undefined)
    assert.equal((await second.ask("/v1/analyze?domain=approve.test", { key })).status, 200)
    assert.equal(await second.stop("SIGINT"), 0)
  })

  it("K3: no file of the data folder holds a key that was shown", async () => {
    const program = await startProgram({ dataDir, environment: OFFLINE })
    const issued = await runCommand(
      ["keys", "issue", "--tenant", "t", "--environment", "live", "--json"],
      environment(dataDir),
    )
    const { key } = JSON.parse(issued.stdout)
    await program.ask("/v1/usage", { key })
    await program.stop()
    const { code } = await run("grep", ["-r", "-l", "-a", key.slice(16, 50), dataDir])
    assert.equal(code, 1, "grep finds it nowhere")
    const digest = await run("grep", ["-r", "-l", "-a", key.slice(8, 16), dataDir])
    assert.equal(
      digest.code,
      0,
      "while the look-up index is there, so grep looks in the right place",
    )
  })

  it("everything in the data folder is its owner's alone, the authority's certificate aside", () => {
    assert.equal(statSync(dataDir).mode & 0o077, 0)
    for (const path of ["secrets.age", "identity.txt", "postgres"]) {
      assert.equal(statSync(join(dataDir, path)).mode & 0o077, 0, path)
    }
    assert.equal(statSync(join(dataDir, "leaf.pem")).mode & 0o077, 0)
  })

  it("two programs share one data folder, and the last one out stops the database", async () => {
    const one = await startProgram({ dataDir, environment: OFFLINE })
    const two = await startProgram({ dataDir, environment: OFFLINE })
    await one.stop()
    assert.equal((await two.ask("/v1/health/ready")).status, 200)
    await two.stop()
    assert.equal(databaseRuns(dataDir), false)
  })

  it("finishes what is under way", async () => {
    const program = await startProgram({ dataDir, environment: OFFLINE })
    const issued = await runCommand(
      ["keys", "issue", "--tenant", "t", "--environment", "test", "--json"],
      environment(dataDir),
    )
    const { key } = JSON.parse(issued.stdout)
    const slow = program.ask("/v1/analyze?domain=slow.test", { key })
    await underWay(program, key)
    process.kill(program.pid, "SIGTERM")
    assert.equal((await slow).status, 200)
    assert.equal(await program.ended, 0)
  })

  for (const [name, value, message] of [
    ["ZT_HTTPS_PORT", "http", /ZT_HTTPS_PORT is not a whole number/],
    ["ZT_HTTPS_PORT", "70000", /ZT_HTTPS_PORT is not between 0 and 65535/],
    ["ZT_DATA_DIRECTORY", "/x", /ZT_DATA_DIRECTORY is not a setting/],
    ["ZT_DATABASE_URL", "mysql://x", /ZT_DATABASE_URL is not a postgresql/],
    ["ZT_TLS_CERT_FILE", "/nowhere", /ZT_TLS_CERT_FILE and ZT_TLS_KEY_FILE go together/],
    ["ZT_CA_FILE", "/nowhere/ca.pem", /ZT_CA_FILE/],
    ["ZT_RDAP_BOOTSTRAP_FILE", "/nowhere/dns.json", /ZT_RDAP_BOOTSTRAP_FILE/],
  ] as const) {
    it(`stops for ${name}=${value}, by name`, async () => {
      const { code, stderr, stdout } = await runCommand(
        ["start"],
        environment(dataDir, { [name]: value }),
      )
      assert.equal(code, 1)
      assert.match(stderr, message)
      assert.equal(stdout, "")
    })
  }

  it("stops for a port that is taken, by name, and leaves no database behind", async () => {
    const program = await startProgram({ dataDir, environment: OFFLINE })
    const port = new URL(program.url).port
    const other = await newDataDir()
    const { code, stderr } = await runCommand(
      ["start"],
      environment(other, { ...OFFLINE, ZT_HTTPS_PORT: port }),
    )
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`ZT_HTTPS_PORT.*${port}|${port}.*ZT_HTTPS_PORT`))
    assert.equal(databaseRuns(other), false)
    await rm(other, { recursive: true, force: true })
    await program.stop()
  })

  const skip = { skip: NO_CURL }
  it("for a person: address, keys once, and a line that works when pasted", skip, async () => {
    const fresh = await newDataDir()
    await mkdir(join(fresh, "with 'quotes' and spaces"))
    const folder = join(fresh, "with 'quotes' and spaces")
    await chmod(folder, 0o700)
    const child = spawn(join(import.meta.dirname, "../../bin/zygentrust"), ["start"], {
      env: environment(folder, OFFLINE),
      stdio: ["ignore", "pipe", "inherit"],
    })
    let text = ""
    child.stdout.setEncoding("utf8")
    for await (const chunk of child.stdout) {
      text += chunk
      if (text.includes("Ctrl-C stops it.")) break
    }
    const line = text.split("\n").find((candidate) => candidate.trim().startsWith("curl"))
    const { stdout } = await run("sh", ["-c", `${line?.trim()} --silent`])
    assert.equal(JSON.parse(stdout).recommended_action, "approve", text)
    child.kill("SIGTERM")
    await once(child, "exit")
    await rm(fresh, { recursive: true, force: true })
  })
})

/** PostgreSQL keeps that file for as long as it runs. */
function databaseRuns(dataDir: string): boolean {
  return existsSync(join(dataDir, "postgres/data/postmaster.pid"))
}

/** Waits until a request to analyze is admitted, as its key's usage tells. */
async function underWay(program: Program, key: string): Promise<void> {
  for (;;) {
    const { by_route } = (await program.ask("/v1/usage", { key })).json
    if (by_route.some(({ route }: { route: string }) => route === "GET /v1/analyze")) return
  }
}

async function run(command: string, args: readonly string[]) {
  return new Promise<{ code: number; stdout: string }>((resolve) => {
    const child = execFile(command, args, (_error, stdout) => {
      resolve({ code: child.exitCode ?? -1, stdout })
    })
  })
}
