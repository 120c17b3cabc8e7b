import assert from "node:assert/strict"
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import type { TestIdentity } from "../../test/backup.ts"
import { backingOf, fill, newIdentity } from "../../test/backup.ts"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { Problem } from "../core/problem.ts"
import { makeBackup } from "./make.ts"
import { drill } from "./restore.ts"
import { lastRuns, withTurn } from "./runs.ts"
import type { Workers } from "./schedule.ts"
import { Schedule } from "./schedule.ts"
import { judgeBackups } from "./status.ts"
import { drillInThread, makeInThread } from "./worker.ts"

const HOUR_MS = 3_600_000

const THREADS: Workers = { make: makeInThread, drill: drillInThread }
/** Without threads, which take their time to begin. */
const HERE: Workers = {
  make: makeBackup,
  drill: async (options, signal) => (await drill({ ...options, signal })).rows,
}

describe("backups of a running server", () => {
  let db: TestDatabase
  let who: TestIdentity
  let root: string
  let folder: string
  let now = Date.parse("2026-11-25T01:00:00Z")
  let errors: unknown[] = []

  before(async () => {
    ;[db, who] = await Promise.all([createDatabase(), newIdentity()])
    await fill(db)
    root = await mkdtemp(join(tmpdir(), "zt-schedule-"))
    folder = await mkdtemp(join(root, "backups-"))
  })
  after(async () => {
    await db.drop()
    await rm(root, { recursive: true })
  })

  const open = (drillDays = 0, workers: Workers = HERE) =>
    Schedule.open({
      folder,
      config: { dataDir: root, backupKeep: 2, backupEveryHours: 24, backupDrillDays: drillDays },
      backing: () => backingOf(db, who),
      admin: db.admin,
      workers,
      now: () => now,
      failed: (_, error) => errors.push(error),
    })
  const judge = (schedule: Schedule) =>
    judgeBackups(schedule.status, schedule.settings, new Date(now))
  const backups = async () =>
    (await readdir(folder)).filter((name) => name.startsWith("zygentrust-"))

  it("makes the first at once, says when the next is due, and records it", async () => {
    const schedule = await open(0, THREADS)
    assert.equal(await schedule.look(), 24 * HOUR_MS)
    assert.deepEqual(errors, [])
    assert.deepEqual((await readdir(folder)).sort(), [
      "tenant-keys.age",
      "zygentrust-2026-11-25T01-00-00Z.age",
    ])
    const { state, message } = judge(schedule)
    assert.equal(state, "ok")
    assert.match(message, /^last backup 2026-11-25T01:00Z, 0\.\d\d MiB, \d+ rows$/)
  })

  it("is one instance's: another finds it done, or the turn taken", async () => {
    const other = await open()
    assert.equal(await other.look(), 24 * HOUR_MS)
    now += 24 * HOUR_MS
    await withTurn(db.admin, "backup", false, async () => {
      assert.ok((await other.look()) <= 0, "it is due, and somebody else's")
    })
    assert.equal((await backups()).length, 1)
  })

  it("of two that look at the same moment, one makes it", async () => {
    const both = await Promise.all([open(), open()])
    await Promise.all(both.map((schedule) => schedule.look()))
    assert.equal((await backups()).length, 2)
  })

  it("keeps as many as it is told", async () => {
    now += 24 * HOUR_MS
    await (await open()).look()
    assert.deepEqual((await backups()).sort(), [
      "zygentrust-2026-11-26T01-00-00Z.age",
      "zygentrust-2026-11-27T01-00-00Z.age",
    ])
  })

  it("restores the newest in a drill, and leaves nothing of it", async () => {
    const schedule = await open(7, THREADS)
    assert.ok((await schedule.look()) > 0)
    assert.deepEqual(errors, [])
    const { last } = await db.admin.asOperator((tx) => lastRuns(tx, "drill"))
    assert.equal(last?.file, "zygentrust-2026-11-27T01-00-00Z.age")
    assert.ok((last?.rows ?? 0) > 500)
    assert.deepEqual(await readdir(root), [folder.slice(root.length + 1)])
    assert.match(judge(schedule).message, /last restore drill 2026-11-27T01:00Z/)
  })

  it("a drill that fails is recorded and logged, and health is degraded", async () => {
    now += 8 * 24 * HOUR_MS
    const damaged = new Problem("BACKUP", { message: "it is damaged" })
    const schedule = await open(7, { ...HERE, drill: () => Promise.reject(damaged) })
    await schedule.look()
    assert.deepEqual(errors, [damaged])
    assert.equal(judge(schedule).state, "degraded")
    assert.match(judge(schedule).message, /^The last restore drill failed \(.*backup verify FILE/)
    errors = []
  })

  it("one that fails is recorded, logged, and tried again within the hour", async () => {
    now += 24 * HOUR_MS
    await writeFile(join(folder, "tenant-keys.age"), "somebody else's")
    const schedule = await open()
    assert.equal(await schedule.look(), HOUR_MS)
    assert.match(String(errors[0]), /is not this deployment's, or is damaged/)
    assert.match(judge(schedule).message, /^The last backup failed/)
    await rm(join(folder, "tenant-keys.age"))
    now += HOUR_MS
    assert.equal(await schedule.look(), 24 * HOUR_MS)
    assert.equal(judge(schedule).state, "ok")
    now += 49 * HOUR_MS
    assert.match(judge(schedule).message, /^No backup was made when it was due/)
  })

  it("a folder that cannot be written stops the start, and says what to do", async () => {
    const there = folder
    folder = join(root, "none")
    await assert.rejects(open(), /There is no such folder: make it/)
    folder = there
    if (process.getuid?.() !== 0) {
      await chmod(folder, 0o500)
      await assert.rejects(open(), /may not write there/)
      await chmod(folder, 0o700)
    }
  })
})
