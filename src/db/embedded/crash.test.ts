import assert from "node:assert/strict"
import { globSync } from "node:fs"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { startChild } from "../../../test/postgres-child.ts"
import { readConfig } from "../../config.ts"
import { fileSecrets } from "../../secrets/files.ts"
import type { SecretName } from "../../secrets/store.ts"
import { openServer } from "../server.ts"

const ROUNDS = 3

describe("SIGKILL while writing", () => {
  let dataDir: string
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "zt-crash-"))
  })
  after(() => rm(dataDir, { recursive: true }))

  const start = async () => {
    const child = startChild(dataDir)
    const said = await child.answer()
    assert.ok(said.ready, JSON.stringify(said))
    return child
  }
  const killServer = async () => {
    const file = await readFile(join(dataDir, "postgres/data/postmaster.pid"), "utf8")
    process.kill(Number.parseInt(file, 10), "SIGKILL")
  }
  const acknowledged: string[] = []

  for (const [victim, blows] of [
    ["the program", ["program"]],
    ["the server", ["server"]],
    ["both, the program first", ["program", "server"]],
    ["both, the server first", ["server", "program"]],
  ] as const) {
    it(`of ${victim}, ${ROUNDS} times: nothing acknowledged is lost`, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const child = await start()
        child.ask("write")
        const enough = 1 + Math.floor(Math.random() * 40)
        while (child.kept.length < enough) await tick()
        for (const blow of blows) await (blow === "server" ? killServer() : child.kill())
        if (victim === "the server") await child.end()
        acknowledged.push(...child.kept)
      }
      const config = readConfig({ ZT_DATA_DIR: dataDir })
      const server = await openServer(config, fileSecrets(dataDir))
      const rows = await server
        .admin()
        .asOperator((tx) => tx.query<{ id: string }>("select id from platform.tenant"))
      await server.close()
      const there = new Set(rows.map(({ id }) => id))
      assert.deepEqual(
        acknowledged.filter((name) => !there.has(name)),
        [],
      )
    })
  }
})

describe("SIGKILL during a first start", () => {
  for (const [moment, sign] of [
    ["there is an identity", file("identity.txt")],
    ["there is a secret", file("secrets.age")],
    ["initdb is at work", file("postgres/new-*/data/base/1")],
    ["the cluster has its name", file("postgres/data")],
    ["the server takes connections", file("postgres/run/.s.PGSQL.5432")],
    ["the roles have passwords", secret("zt_migrate-password")],
  ] as const) {
    it(`when ${moment}: the next start makes what is missing`, async () => {
      const dataDir = await mkdtemp(join(tmpdir(), "zt-first-"))
      const first = startChild(dataDir)
      while (!(await sign(dataDir))) await tick()
      await first.kill()
      const second = startChild(dataDir)
      const said = await second.answer()
      assert.ok(said.ready, JSON.stringify(said))
      second.ask("count")
      assert.equal((await second.answer()).count, 0)
      assert.equal(await second.end(), 0)
      assert.deepEqual(
        globSync("postgres/new-*", { cwd: dataDir }),
        [],
        "half a cluster is not left behind",
      )
      await rm(dataDir, { recursive: true, maxRetries: 5 })
    })
  }
})

function file(pattern: string) {
  return async (dataDir: string) => globSync(pattern, { cwd: dataDir }).length > 0
}

function secret(name: SecretName) {
  return async (dataDir: string) => (await fileSecrets(dataDir).get(name)) !== undefined
}

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2))
}
