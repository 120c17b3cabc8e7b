/** S1 and S2: what other programs of this machine can see of the running one. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import type { Program } from "../program.ts"
import { environment, newDataDir, runCommand, startProgram } from "../program.ts"

const SECRETS = {
  ZT_PASSPHRASE: `a "quoted" \`canary\` $HOME \\n passphrase`,
  ZT_ADMIN_DATABASE_URL: "postgresql://admin:canary-password@db.example/postgres",
}

describe("the running program", { skip: process.platform !== "linux" && "needs /proc" }, () => {
  let program: Program
  before(async () => {
    program = await startProgram({
      arguments: ["--lab"],
      environment: { ...SECRETS, zt_exposed: "1", zt_value: "1" },
    })
  })
  after(() => program.stop())

  it("is connected before its first request, so that 'migrate --drop' sees that it runs", () => {
    const sessions = descendants(program.pid).map((pid) => read(pid, "cmdline"))
    assert.ok(sessions.some((title) => title.includes("zt_runtime")))
  })

  it("has no secret in its environment or arguments, nor has any of its children", () => {
    const family = descendants(program.pid)
    assert.ok(family.length > 2, "the database and the lab are there")
    for (const pid of family) {
      for (const name of ["environ", "cmdline"]) {
        // Not by assert.match, which would print the environment of whoever runs this.
        const found = /canary|ZT_PASSPHRASE|ZT_ADMIN/.exec(read(pid, name))
        assert.equal(found?.[0], undefined, `${name} of ${pid}`)
      }
    }
  })

  it("says what it took, and keeps all else", () => {
    assert.match(program.stderr(), /^Took out of .*: ZT_PASSPHRASE, ZT_ADMIN_DATABASE_URL\.$/m)
    const kept = read(program.pid, "environ").split("\0")
    assert.ok(kept.includes(`ZT_DATA_DIR=${program.dataDir}`))
    assert.ok(kept.some((line) => /^NODE_COMPILE_CACHE=.*node_modules/.test(line)))
  })

  it("leaves no core dump, nor do its children", () => {
    for (const pid of descendants(program.pid)) {
      const filter = read(pid, "coredump_filter")
      if (filter === "") continue // it has ended
      assert.match(filter, /^0+\n$/)
      assert.match(read(pid, "limits"), /^Max core file size\s+0 /m)
    }
  })

  it("opens no debugger on SIGUSR1", async () => {
    process.kill(program.pid, "SIGUSR1")
    assert.equal((await program.ask("/v1/health/live")).status, 200)
    assert.equal((await program.ask("/v1/health/live")).status, 200)
    assert.doesNotMatch(program.stderr(), /Debugger/)
  })
})

describe("a start is refused", () => {
  let dataDir: string
  before(async () => {
    dataDir = await newDataDir()
  })
  after(() => rm(dataDir, { recursive: true }))

  for (const options of [
    "--inspect=0",
    "--enable-source-maps  --inspect=127.0.0.1:0 ",
    "--heap-prof",
    "--heap_prof",
    "--tls-keylog=/dev/null",
    "--heapsnapshot-signal=SIGUSR2",
    "--heapsnapshot-near-heap-limit=1",
    "--abort-on-uncaught-exception",
  ]) {
    it(`under NODE_OPTIONS=${options}`, async () => {
      const { code, stderr } = await runCommand(
        ["start"],
        // A profile of the refusal is written all the same.
        environment(dataDir, {
          NODE_OPTIONS: options.replace(/--heap.prof/, `$& --heap-prof-dir=${dataDir}`),
        }),
      )
      assert.equal(code, 1)
      assert.match(stderr, /opens this program's memory/)
    })
  }

  it("with a line break in a secret of the environment", async () => {
    const more = { ZT_PASSPHRASE: "canary\nrest" }
    const { code, stderr } = await runCommand(["start"], environment(dataDir, more))
    assert.equal(code, 1)
    assert.match(stderr, /holds a line break: name a file/)
    assert.doesNotMatch(stderr, /canary/)
  })

  for (const secret of [
    "AGE-SECRET-KEY-1QQPQQQQQQQQQQQ",
    "postgresql://admin:password@db.example/zt",
    "postgresql:///zt?password=secret",
    "-----BEGIN PRIVATE KEY-----",
  ]) {
    it(`with ${secret.slice(0, 14)}… on the command line, and does not repeat it`, async () => {
      const { code, stderr } = await runCommand(["start", secret], environment(dataDir))
      assert.equal(code, 2)
      assert.match(stderr, /a secret on the command line/)
      assert.ok(!stderr.includes(secret.slice(-8)))
    })
  }
})

describe("started without bin/zygentrust", () => {
  it("gets rid of secrets in its environment as well, and goes on as the same process", async () => {
    const dataDir = await newDataDir()
    const program = join(import.meta.dirname, "../../src/cli/main.ts")
    const child = spawn(process.execPath, [program, "start", "--json"], {
      env: environment(dataDir, SECRETS),
      stdio: ["ignore", "pipe", "pipe"],
    })
    try {
      await once(child.stdout, "data")
      assert.equal(/canary/.exec(read(child.pid ?? 0, "environ")), null)
      assert.notEqual(read(child.pid ?? 0, "environ"), "")
    } finally {
      child.kill()
      await once(child, "exit")
      await rm(dataDir, { recursive: true })
    }
  })
})

/** @returns What the system shows of a process; empty when it has ended. */
function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1")
  } catch {
    return ""
  }
}

/** @returns A process and all below it. */
function descendants(pid: number): number[] {
  const parents = new Map<number, number[]>()
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue
    const stat = read(Number(name), "stat")
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 4).split(" ", 1)[0])
    parents.set(parent, [...(parents.get(parent) ?? []), Number(name)])
  }
  const below = (one: number): number[] => [one, ...(parents.get(one) ?? []).flatMap(below)]
  return below(pid)
}
