import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { after, before, describe, it } from "node:test"
import type { ChildOptions } from "../../../test/postgres-child.ts"
import { startChild } from "../../../test/postgres-child.ts"
import { ROOT } from "../../settings.ts"
import { platformPackage } from "./binaries.ts"

const isRoot = process.getuid?.() === 0
const NOBODY = 65_534

/** Starts, asks and ends; meanwhile, `look` sees the server's process number. */
async function visit(
  dataDir: string,
  options: ChildOptions,
  look: (postmaster: number) => Promise<void> = async () => {},
): Promise<void> {
  const child = startChild(dataDir, options)
  const said = await child.answer()
  assert.ok(said.ready, JSON.stringify(said))
  child.ask("count")
  assert.equal((await child.answer()).count, 0)
  const file = await readFile(join(dataDir, "postgres/data/postmaster.pid"), "utf8")
  await look(Number.parseInt(file, 10))
  assert.equal(await child.end(), 0)
}

/** Links where it can: the checkout may lie where nobody else may enter. */
async function copyCheckout(to: string): Promise<void> {
  const parts = ["src", "test", "lab", "package.json", "node_modules"].map((part) =>
    join(ROOT, part),
  )
  await mkdir(to)
  const linked = spawnSync("cp", ["-a", "--link", ...parts, to])
  if (linked.status !== 0) assert.equal(spawnSync("cp", ["-a", ...parts, to]).status, 0)
}

if (isRoot) {
  describe("an ordinary user (who else runs all tests here)", () => {
    it("starts the database as that user", async () => {
      // Not in tmpdir(), which a runner may have made for root alone.
      const folder = await mkdtemp("/tmp/zt-user-")
      const dataDir = join(folder, "data")
      await mkdir(dataDir)
      await chown(dataDir, NOBODY, NOBODY)
      await chmod(folder, 0o755)
      const checkout = join(folder, "checkout")
      await copyCheckout(checkout)
      await visit(dataDir, { uid: NOBODY, gid: NOBODY, checkout }, async (postmaster) => {
        assert.equal((await stat(`/proc/${postmaster}`)).uid, NOBODY)
      })
      await rm(folder, { recursive: true })
    })
  })
}

/** An ordinary user can be root too, in a namespace. */
const AS_ROOT = ["unshare", "--user", "--map-root-user"]

describe("root", () => {
  it("starts the database without its powers", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "zt-root-"))
    await visit(dataDir, { prefix: isRoot ? [] : AS_ROOT }, async (postmaster) => {
      const status = await readFile(`/proc/${postmaster}/status`, "utf8")
      assert.match(status, /^CapEff:\t0+$/m)
    })
    await rm(dataDir, { recursive: true })
  })

  it("is told to be somebody else where namespaces are barred", async (t) => {
    const prefix = [
      ...[...AS_ROOT, "sh", "-c"],
      'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"',
      "sh",
    ]
    const [command = "", ...args] = [...prefix, "true"]
    const tried = spawnSync(command, args)
    if (tried.status !== 0) return t.skip(`no namespace to bar them in: ${tried.stderr}`)
    const dataDir = await mkdtemp(join(tmpdir(), "zt-barred-"))
    const child = startChild(dataDir, { prefix })
    const said = await child.answer()
    assert.equal(said.problem, "PLATFORM")
    assert.match(said.message ?? "", /does not run as root.*Run this as an ordinary user/)
    await child.end()
    await rm(dataDir, { recursive: true })
  })
})

describe("a checkout and a data folder that only their owner may enter", () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "zt-closed-")) // 0700
    const entry = createRequire(import.meta.url).resolve(platformPackage())
    await cp(dirname(dirname(entry)), join(folder, "package"), { recursive: true })
  })
  after(() => rm(folder, { recursive: true }))

  it("work, as root too", async () => {
    await visit(join(folder, "data"), { embeddedPackage: join(folder, "package/dist/index.js") })
  })
})
