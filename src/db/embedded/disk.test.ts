import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdtemp, open, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { startChild } from "../../../test/postgres-child.ts"

/** A small disk can be mounted by anybody in a namespace of their own, where those are allowed. */
const NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
const tried = spawnSync("unshare", [...NAMESPACE.slice(1), "mount", "-t", "tmpfs", "disk", "/mnt"])
const skip = tried.status !== 0 && `NO DISK WAS TESTED: a namespace cannot be had: ${tried.stderr}`

describe("a disk that does not serve", { skip }, () => {
  let dataDir: string
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "zt-disk-"))
  })
  after(() => rm(dataDir, { recursive: true }))

  /** Starts the program with its data folder on a disk of that size, after a shell's script. */
  const onDisk = (mebibytes: number, script = "true") =>
    startChild(dataDir, {
      prefix: [
        ...NAMESPACE,
        "sh",
        "-c",
        `mount -t tmpfs -o size=${mebibytes}m,mode=700 disk "$0" && { ${script}; } && exec "$@"`,
        dataDir,
      ],
    })
  const FILL = '! dd if=/dev/zero of="$0/filler" bs=64k 2>&-'

  for (const [what, mebibytes, script, message] of [
    ["too full for a first start", 16, "true", /disk is full: free some space/],
    ["with room for a part of a page", 20, "true", /disk is full: free some space/],
    ["full to the last byte", 1, FILL, /disk is full: free some space/],
    ["read-only", 1, 'mount -o remount,bind,ro "$0"', /read-only: mount it writable/],
  ] as const) {
    it(`${what} is refused, and says what to do`, async () => {
      const child = onDisk(mebibytes, script)
      const said = await child.answer()
      assert.equal(said.problem, "DATA_FOLDER")
      assert.match(said.message ?? "", message)
      assert.equal(await child.end(), 1)
    })
  }

  it("full at a later start is refused, and works again when there is room", async () => {
    const child = onDisk(160, `"$@" < /dev/null; ${FILL}; "$@" < /dev/null; rm "$0/filler"`)
    assert.ok((await child.answer()).ready, "the first start")
    assert.match((await child.answer()).message ?? "", /disk is full/)
    assert.deepEqual(await child.answer(), { ready: "18.4", migrated: 0 })
    await child.end()
  })

  it("full while writing makes the service unavailable, and loses nothing", async () => {
    const child = onDisk(160)
    assert.ok((await child.answer()).ready)
    child.ask("write")
    const more = async () => {
      const enough = child.kept.length + 5
      while (child.kept.length < enough) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await more()
    const filler = `/proc/${child.pid}/root${dataDir}/filler`
    await fill(filler)
    await quiet(child.kept)
    await rm(filler)
    await more()
    child.ask("count")
    const { count = 0 } = await child.answer()
    assert.ok(count >= child.kept.length, `${count} of ${child.kept.length} are there`)
    assert.equal(await child.end(), 0)
  })
})

async function fill(path: string): Promise<void> {
  await using file = await open(path, "w")
  await assert.rejects(async () => {
    for (;;) await file.write(Buffer.alloc(65_536))
  }, /ENOSPC/)
}

/** Waits until nothing is acknowledged for a while. */
async function quiet(kept: readonly string[]): Promise<void> {
  for (let seen = -1; seen !== kept.length; ) {
    seen = kept.length
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
