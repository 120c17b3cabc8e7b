/** A deployment dies and comes back elsewhere; and what stands in the way of backups. */
import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import type { Program } from "../program.ts"
import { environment, runCommand, startProgram } from "../program.ts"

const PROGRAM = join(import.meta.dirname, "../../bin/zygentrust")

describe("backup and restore", () => {
  let program: Program
  let root: string
  let backups: string
  before(async () => {
    root = await mkdtemp(join(tmpdir(), "zt-away-"))
    backups = await mkdtemp(join(root, "backups-"))
    program = await startProgram({ dataDir: join(root, "data") })
  })
  after(async () => {
    await program.stop()
    await rm(root, { recursive: true, force: true })
  })
  const identityFile = () => join(root, "identity.txt")
  const zygentrust = (args: string[], more: Record<string, string> = {}) =>
    runCommand(args, environment(program.dataDir, more))
  const ask = (from: Program) =>
    from.ask("/v1/analyze?domain=approve.test", { key: program.keys?.test ?? "" })

  it("what a backup of a running server holds comes back on another machine, and serves", async () => {
    const first = await ask(program)
    assert.equal(first.json.metadata.cache.hit, false)
    const keys = (await program.ask("/.well-known/jwks.json")).json
    const { components } = (await program.ask("/v1/health")).json
    assert.match(components.backup.message, /^not set up: .*ZT_BACKUP_DIR/)

    const file = join(backups, "one.age")
    const made = await zygentrust(["backup", file])
    assert.match(made.stdout, /^\/.*one\.age: \d+ KiB, \d+ rows of \d+ tables as of /)
    assert.equal(made.code, 0, made.stderr)
    await copyFile(join(program.dataDir, "identity.txt"), identityFile())
    await program.stop()
    await rm(program.dataDir, { recursive: true })

    const away = { ZT_IDENTITY_FILE: identityFile() }
    const restored = await zygentrust(["restore", file, "--json"], away)
    assert.equal(restored.code, 0, restored.stderr)
    const { rows, erased, migrated } = JSON.parse(restored.stdout)
    assert.ok(rows > 10)
    assert.deepEqual([erased, migrated], [0, []])
    assert.deepEqual((await readdir(program.dataDir)).sort(), ["postgres", "secrets.age"])

    const old = program
    program = await startProgram({ dataDir: old.dataDir, environment: away })
    assert.equal(program.keys, undefined, "not a first start")
    const second = await program.ask("/v1/analyze?domain=approve.test", {
      key: old.keys?.test ?? "",
    })
    assert.deepEqual([second.status, second.json.metadata.cache.hit], [200, true])
    assert.deepEqual(second.json.metadata.checked_at, first.json.metadata.checked_at)
    assert.deepEqual((await program.ask("/.well-known/jwks.json")).json, keys)
    program = { ...program, keys: old.keys }
  })

  it("verify restores one into a scratch database, and says what is wrong", async () => {
    const away = { ZT_IDENTITY_FILE: identityFile() }
    const good = await zygentrust(["backup", "verify", join(backups, "one.age")], away)
    assert.match(good.stdout, /one\.age restores: \d+ rows of \d+ tables as of /)
    await writeFile(join(backups, "bad.age"), "age-encryption.org/v1\n")
    const bad = await zygentrust(["backup", "verify", join(backups, "bad.age"), "--json"], away)
    assert.equal(bad.code, 1)
    assert.match(JSON.parse(bad.stderr).error.message, /is not an age file, or is cut off/)
    assert.ok(!(await readdir(program.dataDir)).includes("drill"))
  })

  it("an erasure takes the tenant's seed from the keys beside the backups too", async () => {
    const more = { ZT_IDENTITY_FILE: identityFile(), ZT_BACKUP_DIR: backups }
    const json = async (...args: string[]) =>
      JSON.parse((await zygentrust([...args, "--json"], more)).stdout)
    await json("keys", "issue", "--tenant", "gone", "--environment", "test")
    assert.equal((await zygentrust(["backup"], more)).code, 0)
    const id = (await json("tenants", "list")).tenants.at(-1).id
    await json("tenants", "erase", id, "--confirm", id)
    const [newest = ""] = (await readdir(backups)).filter((name) => name.startsWith("zygentrust-"))
    assert.equal((await json("backup", "verify", join(backups, newest))).erased, 1)
  })

  it("no command makes a deployment where a restore was interrupted", async () => {
    const ZT_DATA_DIR = await mkdtemp(join(root, "half-"))
    await mkdir(join(ZT_DATA_DIR, "restoring"))
    for (const args of [["start"], ["keys", "list"]]) {
      const { code, stderr } = await zygentrust(args, { ZT_DATA_DIR })
      assert.match(stderr, /restore into .* was interrupted.*run 'bin\/zygentrust restore'/)
      assert.equal(code, 1)
    }
    assert.ok(!(await readdir(ZT_DATA_DIR)).includes("postgres"))
  })

  for (const [what, args, more, says] of [
    ["no folder is set", ["backup"], {}, /say where to: a FILE, or a folder in ZT_BACKUP_DIR/],
    ["it is there already", ["backup", "one.age"], {}, /is there already, and no backup is overw/],
    ["there is no such folder", ["backup", "none/x.age"], {}, /There is no such folder: make it/],
    ["no file is named", ["backup", "verify"], {}, /backup verify takes one file/],
    ["it is not there", ["backup", "verify", "none.age"], {}, /There is no \/.*none\.age/],
    [
      "nothing is in the data folder",
      ["backup", "none.age"],
      { ZT_DATA_DIR: "/proc/none" },
      /There is no deployment in .*set ZT_DATA_DIR/,
    ],
    [
      "no server's address",
      ["restore", "one.age"],
      { ZT_DATABASE_URL: "postgresql://localhost/x" },
      /ZT_ADMIN_DATABASE_URL is missing/,
    ],
    ["a deployment is there", ["restore", "one.age"], {}, /holds a deployment already/],
    [
      "a start has no folder",
      ["start"],
      { ZT_BACKUP_DIR: "/proc/none" },
      /No backup can be written to \/proc\/none \(ENOENT\)/,
    ],
    [
      "a further recipient is none",
      ["backup", "x.age"],
      { ZT_BACKUP_RECIPIENTS: "age1x" },
      /'age1x' is not an age recipient/,
    ],
  ] as const) {
    it(`refuses where ${what}`, async () => {
      const words = args.map((word) => (/\.age$/.test(word) ? join(backups, word) : word))
      const names = await readdir(backups)
      const { code, stderr } = await zygentrust([...words], {
        ZT_IDENTITY_FILE: identityFile(),
        ...more,
      })
      assert.ok(code === 1 || code === 2)
      assert.match(stderr, says)
      assert.deepEqual(await readdir(backups), names, "no file is left")
    })
  }
})

const NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
const tried = spawnSync("unshare", [...NAMESPACE.slice(1), "mount", "-t", "tmpfs", "disk", "/mnt"])
const skip = tried.status !== 0 && `NO DISK WAS FULL: a namespace cannot be had: ${tried.stderr}`

describe("a full disk", { skip }, () => {
  let root: string
  before(async () => {
    root = await mkdtemp(join(tmpdir(), "zt-full-"))
    await runCommand(["migrate"], environment(join(root, "data")))
  })
  after(() => rm(root, { recursive: true, force: true }))

  /** Runs a command with a small disk mounted on a folder; then `ls` of that folder. */
  const onDisk = async (kibibytes: number, folder: string, args: string[], more: object) => {
    const script = `mkdir -p "$0" && mount -t tmpfs -o size=${kibibytes}k,mode=700 disk "$0" && { "$@"; ls -A "$0" >&2; }`
    const words = ["sh", "-c", script, folder, PROGRAM, ...args]
    const [command = "", ...rest] = [...NAMESPACE, ...words]
    const env = { ...environment(join(root, "data")), ...more }
    const child = spawn(command, rest, { env, stdio: ["ignore", "ignore", "pipe"] })
    let said = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text
    })
    await once(child, "close")
    return said.trim().split("\n")
  }

  it("stops a backup, which leaves nothing", async () => {
    const folder = join(root, "small")
    const [said, ...left] = await onDisk(4, folder, ["backup", join(folder, "x.age")], {})
    assert.match(said ?? "", /No backup can be written .*ENOSPC.*disk is full: free some space/)
    assert.deepEqual(left, [])
  })

  it("stops a restore, which leaves the folder as it was", async () => {
    const file = join(root, "one.age")
    assert.equal((await runCommand(["backup", file], environment(join(root, "data")))).code, 0)
    const folder = join(root, "new")
    const [said, ...left] = await onDisk(30_000, folder, ["restore", file], {
      ZT_DATA_DIR: folder,
      ZT_IDENTITY_FILE: join(root, "data", "identity.txt"),
    })
    assert.match(said ?? "", /disk.* is full: free some space/)
    assert.deepEqual(left, [])
  })
})
