import assert from "node:assert/strict"
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { checkBackups } from "./doctor-backup.ts"

const NOW = new Date("2026-11-25T12:00:00Z")
const NAME = "zygentrust-2026-11-25T01-00-00Z.age"

describe("doctor on backups", () => {
  let root: string
  before(async () => {
    root = await mkdtemp(join(tmpdir(), "zt-doctor-"))
  })
  after(() => rm(root, { recursive: true }))

  /** A folder with these files, each so many hours old. */
  const folder = async (files: Readonly<Record<string, number>>) => {
    const path = await mkdtemp(join(root, "backups-"))
    for (const [name, hours] of Object.entries(files)) {
      await writeFile(join(path, name), "")
      const at = new Date(NOW.getTime() - hours * 3_600_000)
      await utimes(join(path, name), at, at)
    }
    return path
  }
  const check = (backupDir: string | undefined, dataDir = "/proc") =>
    checkBackups({ backupDir, backupEveryHours: 24, dataDir }, NOW)

  for (const [what, files, status, says] of [
    ["none yet", {}, "warn", /none in .* yet/],
    [
      "one of today, with its keys, on another disk",
      { [NAME]: 11, "tenant-keys.age": 1 },
      "ok",
      /the newest is/,
    ],
    ["one that is overdue", { [NAME]: 50, "tenant-keys.age": 1 }, "warn", /is 50 hours old/],
    ["one without the tenants' keys", { [NAME]: 11 }, "fail", /tenant-keys.age is not in/],
  ] as const) {
    it(`${what}: ${status}`, async () => {
      const found = await check(await folder(files))
      assert.equal(found.status, status)
      assert.match(found.message, says)
    })
  }

  it("no folder is set, or it is no folder: says which setting", async () => {
    assert.match((await check(undefined)).advice ?? "", /ZT_BACKUP_DIR/)
    const gone = await check(join(root, "gone"))
    assert.deepEqual([gone.status, /ZT_BACKUP_DIR/.test(gone.advice ?? "")], ["fail", true])
  })

  it("the same disk as the data: warns", async () => {
    const data = join(root, "data")
    await mkdir(data)
    const found = await check(await folder({ [NAME]: 1, "tenant-keys.age": 1 }), data)
    assert.deepEqual([found.status, /same disk/.test(found.message)], ["warn", true])
  })
})
