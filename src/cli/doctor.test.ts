import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { readConfig } from "../config.ts"
import { renderChecks } from "./doctor.ts"
import { fail, ok, warn } from "./doctor-check.ts"
import { checkCertificate, checkPorts, judgeCertificate, judgePort } from "./doctor-edge.ts"
import { checkClock, checkDataFolder, checkNode, judgeSpace } from "./doctor-machine.ts"
import { checkMail } from "./doctor-mail.ts"
import { checkBootstrap, checkResolvers, judgeResolvers } from "./doctor-network.ts"
import { PINNED_NODE } from "./runtime.ts"

const NOW = new Date("2026-11-24T10:00:00.000Z")
const GIB = 1_073_741_824
const folder = mkdtempSync(join(tmpdir(), "zygentrust-doctor-"))
after(() => rmSync(folder, { recursive: true }))

const statuses = (checks: readonly { status: string }[]) => checks.map(({ status }) => status)

describe("what the doctor makes of what it sees", () => {
  for (const [seen, expected, because] of [
    [checkNode(PINNED_NODE, []), ["ok", "ok"], "the pinned runtime, all installed"],
    [checkNode("26.0.0", []), ["warn", "ok"], "another Node than the pinned one"],
    [checkNode(PINNED_NODE, ["x"]), ["ok", "fail"], "npm left a package out"],
    [[judgeSpace(50 * GIB)], ["ok"], "room enough"],
    [[judgeSpace(0.5 * GIB)], ["warn"], "under a gibibyte"],
    [[judgeSpace(0.1 * GIB)], ["fail"], "too little for the database to start"],
    [[checkClock(NOW, new Date("2026-05-01"))], ["ok"], "a clock after this release"],
    [[checkClock(new Date(0), new Date("2026-05-01"))], ["fail"], "a clock without a battery"],
    [[checkClock(new Date("2150-01-01"), NOW)], ["fail"], "a clock of the next century"],
  ] as const) {
    it(`${because}: ${expected.join(", ")}`, () => assert.deepEqual(statuses(seen), expected))
  }

  for (const [code, ours, expected, because] of [
    [undefined, false, "ok", "a free port"],
    ["EADDRINUSE", true, "ok", "a server of this program"],
    ["EADDRINUSE", false, "fail", "another program"],
    ["EACCES", false, "fail", "a port below 1024"],
    ["EADDRNOTAVAIL", true, "fail", "an address that this machine has not"],
  ] as const) {
    it(`a port, ${because}: ${expected}`, () => {
      const { status, advice } = judgePort("HTTPS port", "ZT_HTTPS_PORT", "::1:443", code, ours)
      assert.equal(status, expected)
      assert.equal(advice === undefined, status === "ok", "what fails comes with advice")
    })
  }

  const loopback = { resolver: { address: "127.0.0.53", port: 53 }, validates: true }
  const distant = { resolver: { address: "192.0.2.1", port: 53 }, validates: true }
  for (const [states, trusted, expected, because] of [
    [[], [], ["fail"], "no resolver at all"],
    [[{ ...distant, failure: "timeout" }], [], ["fail"], "none answers"],
    [[loopback, { ...distant, failure: "timeout" }], [], ["warn", "ok"], "one of two answers"],
    [[loopback], [], ["ok", "ok"], "a validating resolver on loopback"],
    [[{ ...loopback, validates: false }], [], ["ok", "warn"], "one that does not validate"],
    [[distant], [], ["ok", "warn"], "anybody on the way could say that it validated"],
    [[distant], ["192.0.2.1"], ["ok", "ok"], "one that is listed as trusted"],
  ] as const) {
    it(`${because}: ${expected.join(", ")}`, () => {
      assert.deepEqual(statuses(judgeResolvers(states, trusted)), expected)
    })
  }

  it("minds a list of RDAP servers only when it is old", () => {
    assert.equal(checkBootstrap({ publication: "2026-05-24T22:05:45Z" }, NOW).status, "ok")
    assert.equal(checkBootstrap({ publication: "2024-05-24T22:05:45Z" }, NOW).status, "warn")
  })

  it("minds that owners are not mailed, and names the server without its login", () => {
    assert.equal(checkMail({ smtpUrl: undefined }).status, "warn")
    const { status, message } = checkMail({ smtpUrl: "smtps://me:word@mail.example:465" })
    assert.equal(status, "ok")
    assert.match(message, /mail\.example:465/)
    assert.doesNotMatch(message, /word|me:/)
  })

  it("minds a certificate that is none", () => {
    assert.equal(judgeCertificate("x", "a.pem", NOW, false).status, "fail")
  })
})

describe("looking at a data folder", () => {
  const at = (path: string) => checkDataFolder(readConfig({ ZT_DATA_DIR: path }))

  it("does not make it", async () => {
    const { status, message } = await at(join(folder, "new", "data"))
    assert.equal(status, "ok")
    assert.match(message, /made by the first start/)
    assert.deepEqual(readdirSync(folder), [])
  })

  it("minds others who may look into it", async () => {
    const path = join(folder, "open")
    mkdirSync(path)
    chmodSync(path, 0o750)
    assert.equal((await at(path)).status, "warn")
    chmodSync(path, 0o700)
    assert.equal((await at(path)).status, "ok")
  })

  it("finds a file in its place, or on the way to it", async () => {
    const path = join(folder, "file")
    writeFileSync(path, "")
    assert.equal((await at(path)).status, "fail")
    assert.equal((await at(join(path, "data"))).status, "fail")
  })
})

describe("looking at what is there", () => {
  const taken = createServer()
  before(() => new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve)))
  after(() => new Promise((resolve) => taken.close(resolve)))
  const signal = new AbortController().signal

  it("finds a port taken by another program, and one that is free", async () => {
    const { port } = taken.address() as AddressInfo
    taken.on("connection", (socket) => socket.destroy())
    const config = readConfig({ ZT_HTTPS_PORT: String(port), ZT_HTTP_PORT: "0" })
    assert.deepEqual(statuses(await checkPorts(config)), ["fail", "ok"])
  })

  it("finds that nobody answers for a resolver", async () => {
    const { port } = taken.address() as AddressInfo // TCP only, so UDP is refused
    const options = { resolvers: [{ address: "127.0.0.1", port }], trustedResolvers: [] }
    assert.deepEqual(statuses(await checkResolvers(options, signal)), ["fail"])
  })

  it("takes a certificate that is not made yet for granted, a named one not", async () => {
    const none = readConfig({ ZT_DATA_DIR: join(folder, "none") })
    assert.equal((await checkCertificate(none, NOW)).status, "ok")
    const named = { ...none, tlsCertFile: join(folder, "none.pem") }
    assert.equal((await checkCertificate(named, NOW)).status, "fail")
  })
})

describe("the doctor's report", () => {
  it("aligns, wraps at 60 columns, and counts", () => {
    const checks = [
      ok("runtime", "Node 26.10.0, as pinned"),
      warn("data folder", "others may look into a folder", "Run: chmod 700 'x'"),
      fail("resolvers", "none answers: 192.0.2.1:53 (timeout), 192.0.2.2:53 (timeout)", "Look."),
    ]
    assert.equal(
      renderChecks(checks, { color: false, columns: 60 }),
      [
        " ✓ runtime       Node 26.10.0, as pinned",
        " ! data folder   others may look into a folder",
        "                 → Run: chmod 700 'x'",
        " ✗ resolvers     none answers: 192.0.2.1:53 (timeout),",
        "                 192.0.2.2:53 (timeout)",
        "                 → Look.",
        "",
        " 1 good, 1 to look at, 1 to fix.",
      ].join("\n"),
    )
  })

  it("is one JSON document with --json, and leaves nothing behind", async () => {
    const dataDir = join(folder, "untouched")
    const program = join(import.meta.dirname, "../../bin/zygentrust")
    const env = {
      PATH: "/usr/bin:/bin",
      ZT_DATA_DIR: dataDir,
      ZT_HTTPS_PORT: "0",
      ZT_HTTP_PORT: "0",
    }
    const out = await new Promise<string>((resolve) =>
      execFile(program, ["doctor", "--json"], { env }, (_error, text) => resolve(text)),
    )
    const { status, checks } = JSON.parse(out)
    assert.ok(["ok", "fail"].includes(status))
    const seen = new Map(checks.map((c: { check: string; status: string }) => [c.check, c.status]))
    for (const check of [
      "runtime",
      "packages",
      "data folder",
      "database",
      "secrets",
      "identity",
      "certificate",
      "clock",
    ]) {
      assert.equal(seen.get(check), "ok", check)
    }
    assert.ok(["ok", "warn"].includes(String(seen.get("encryption"))), "never a failure")
    assert.ok(!readdirSync(folder).includes("untouched"))
  })
})
