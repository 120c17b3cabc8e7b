import assert from "node:assert/strict"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import type { Child } from "../../../test/postgres-child.ts"
import { startChild } from "../../../test/postgres-child.ts"
import { readConfig } from "../../config.ts"
import { fileSecrets } from "../../secrets/files.ts"
import { openServer } from "../server.ts"

describe("programs that share a data folder", () => {
  let dataDir: string
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "zt-shared-"))
  })
  after(() => rm(dataDir, { recursive: true }))

  const postmaster = () => runningPostmaster(dataDir)
  const start = async () => {
    const child = startChild(dataDir)
    const said = await child.answer()
    assert.ok(said.ready, JSON.stringify(said))
    return child
  }
  const works = async (child: Child) => {
    child.ask("count")
    assert.equal((await child.answer()).count, 0)
  }

  it("may all start at once on an empty folder; the last one out stops the server", async () => {
    const children = await Promise.all([start(), start(), start()])
    for (const child of children) {
      await works(child)
      assert.ok(await postmaster(), "the server runs while somebody uses it")
      assert.equal(await child.end(), 0)
    }
    assert.equal(await postmaster(), undefined)
  })

  it("a killed program leaves the server running; the next adopts and stops it", async () => {
    const killed = await start()
    const left = await postmaster()
    await killed.kill()
    const next = await start()
    await works(next)
    assert.equal(await postmaster(), left)
    await next.end()
    assert.equal(await postmaster(), undefined)
  })

  it("a killed program does not count as a user", async () => {
    const [killed, other] = await Promise.all([start(), start()])
    await killed.kill()
    await works(other)
    await other.end()
    assert.equal(await postmaster(), undefined)
  })

  it("starting and stopping in each other's way never fails anybody", async () => {
    const config = readConfig({ ZT_DATA_DIR: dataDir })
    const visit = async () => {
      for (let visits = 0; visits < 4; visits++) {
        const server = await openServer(config, fileSecrets(dataDir))
        const rows = await server
          .database()
          .asTenant("live", "", (tx) => tx.query("select 1 as one"))
        assert.deepEqual(rows, [{ one: 1 }])
        await server.close()
      }
    }
    await Promise.all([visit(), visit(), visit(), visit()])
    assert.equal(await postmaster(), undefined)
  })

  it("a server that was killed under a program is started again by it", async () => {
    const child = await start()
    const first = await postmaster()
    process.kill(first ?? 0, "SIGKILL")
    child.ask("write") // tries again while the service is unavailable
    while (child.kept.length === 0) await tick()
    const second = await postmaster()
    assert.ok(second !== undefined && second !== first)
    await child.end()
    assert.equal(await postmaster(), undefined)
  })

  it("takes no other program for its server whose number was reused", async () => {
    const pidFile = join(dataDir, "postgres/data/postmaster.pid")
    const stranger: ChildProcess = spawn("sleep", ["60"])
    await writeFile(pidFile, `${stranger.pid}\n${dataDir}\n0\n5432\n../run\n\n  1 1\nready   \n`)
    const child = await start()
    await child.end()
    assert.equal(stranger.exitCode, null, "and stops no other program either")
    stranger.kill()
  })
})

describe("a data folder whose path is too long for a socket", () => {
  it("works all the same (on Linux)", { skip: process.platform !== "linux" }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "zt-long-"))
    const child = startChild(join(folder, "long".repeat(40)))
    assert.ok((await child.answer()).ready)
    child.ask("count")
    assert.equal((await child.answer()).count, 0)
    assert.equal(await child.end(), 0)
    await rm(folder, { recursive: true })
  })
})

/** @returns The number of a living process that the folder's postmaster.pid names. */
async function runningPostmaster(dataDir: string): Promise<number | undefined> {
  const file = await readFile(join(dataDir, "postgres/data/postmaster.pid"), "utf8").catch(() => "")
  const pid = Number.parseInt(file, 10)
  if (Number.isNaN(pid)) return undefined
  process.kill(pid, 0)
  return pid
}

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10))
}
