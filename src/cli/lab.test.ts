import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { describe, it } from "node:test"
import { readConfig } from "../config.ts"
import { startLabProcess } from "./lab.ts"

const PROGRAM = join(import.meta.dirname, "../../bin/zygentrust")

describe("a lab for one run", { timeout: 60_000 }, () => {
  it("gives settings that the configuration takes, and leaves nothing behind", async () => {
    const lab = await startLabProcess(new AbortController().signal)
    const { resolvers, addressMap, caFile } = readConfig(lab.settings)
    assert.equal(resolvers?.[0]?.address, "127.0.0.1")
    assert.ok(addressMap.size > 0)
    assert.ok(caFile !== undefined && existsSync(caFile))
    await lab.stop()
    assert.equal(existsSync(caFile), false)
  })

  it("is given up while it starts when the signal says so", async () => {
    const reason = new Error("stop")
    const controller = new AbortController()
    const started = startLabProcess(controller.signal)
    controller.abort(reason)
    await assert.rejects(started, reason)
  })
})

describe("zygentrust lab", { timeout: 60_000 }, () => {
  it("prints its settings in one JSON document, and ends with exit 130 on Ctrl-C", async () => {
    const child = spawn(PROGRAM, ["lab", "--json"], { stdio: ["ignore", "pipe", "inherit"] })
    const lines: string[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line)
      child.kill("SIGINT")
    }
    const code = child.exitCode ?? (await new Promise((resolve) => child.once("exit", resolve)))
    assert.equal(code, 130)
    assert.equal(lines.length, 1)
    assert.equal(existsSync(JSON.parse(lines[0] ?? "").settings.ZT_CA_FILE), false)
  })

  it("does not outlive a parent that is killed", async () => {
    const child = spawn(PROGRAM, ["lab", "--json"], { stdio: ["ignore", "pipe", "inherit"] })
    let settings: Record<string, string> = {}
    // The stream ends when the last who holds it is gone: the lab, since its parent was killed.
    for await (const line of createInterface({ input: child.stdout })) {
      settings = JSON.parse(line).settings
      child.kill("SIGKILL")
    }
    assert.equal(existsSync(settings["ZT_CA_FILE"] ?? ""), false)
  })
})
