/** A server that vanishes without a word (power, cable) is given up, however long its statement may take. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { describe, it } from "node:test"

const NAMESPACE = ["--user", "--map-root-user", "--net"]
const tried = spawnSync("unshare", [...NAMESPACE, "ip", "link", "set", "lo", "up"])
const skip = tried.status !== 0 && `NOT TESTED: a network cannot be had: ${tried.stderr}`
const PROGRAM = join(import.meta.dirname, "vanished-program.ts")
const GIVEN_UP_MS = 11_000

describe("a server that vanishes", { skip }, () => {
  it("is given up after eleven seconds", () => {
    const { stdout, stderr } = spawnSync("unshare", [...NAMESPACE, process.execPath, PROGRAM], {
      encoding: "utf8",
      timeout: 60_000,
    })
    const tookMs = Number(stdout)
    assert.ok(tookMs > 1_000 && tookMs < GIVEN_UP_MS + 4_000, `${stdout} ${stderr}`)
  })
})
