import assert from "node:assert/strict"
import { cp, mkdir, mkdtemp, open, readdir, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { forgetSecrets } from "../../test/secrets.ts"
import { readConfig } from "../config.ts"
import { withClient } from "../db/connection.ts"
import { openServer } from "../db/server.ts"
import { fileSecrets } from "../secrets/files.ts"
import { checkDatabase } from "./doctor-database.ts"

describe("looking at an embedded database", () => {
  let folder: string
  let whole: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "zt-doctor-"))
    whole = join(folder, "whole")
    const server = await openServer(config(whole), fileSecrets(whole))
    await server.close()
  })
  after(() => rm(folder, { recursive: true }))
  const config = (dataDir: string) => readConfig({ ZT_DATA_DIR: dataDir })

  const remove = (path: string) => (data: string) => rm(join(data, path), { recursive: true })
  const overwrite = (position: number, bytes: Buffer) => async (data: string) => {
    await using file = await open(join(data, "global/pg_control"), "r+")
    await file.write(bytes, 0, bytes.length, position)
  }
  for (const [what, act, status, message] of [
    ["whole", async () => {}, "ok", /not running: the start starts it/],
    ["pg_control is noise", overwrite(0, Buffer.alloc(8192, "random")), "fail", /pg_control/],
    ["one byte of pg_control is another", overwrite(100, Buffer.from([77])), "fail", /pg_control/],
    ["pg_control is zeroes", overwrite(0, Buffer.alloc(8192)), "fail", /pg_control/],
    ["the tables are gone", remove("base"), "fail", /'base\/1' is missing.*backup/],
    ["the transactions' states are gone", remove("pg_xact"), "fail", /'pg_xact' is missing/],
    ["the write-ahead log is gone", remove("pg_wal"), "fail", /'pg_wal' is missing/],
    [
      "the write-ahead log is empty",
      async (data: string) => {
        await rm(join(data, "pg_wal"), { recursive: true })
        await mkdir(join(data, "pg_wal"))
      },
      "fail",
      /'pg_wal' is empty/,
    ],
  ] as const) {
    it(`${what}: ${status}, and nothing is changed`, async () => {
      const copy = join(folder, "copy")
      await cp(whole, copy, { recursive: true })
      await act(join(copy, "postgres/data"))
      const before = await contents(copy)
      const diagnosis = await checkDatabase(config(copy))
      assert.equal(diagnosis.status, status, diagnosis.message)
      assert.match(diagnosis.message, message)
      assert.deepEqual(await contents(copy), before)
      await rm(copy, { recursive: true })
    })
  }

  it("running: for how many days ahead usage has partitions, and what to do when too few", async () => {
    const server = await openServer(config(whole), fileSecrets(whole))
    try {
      const good = await checkDatabase(config(whole))
      assert.equal(good.status, "ok", good.message)
      assert.match(good.message, /up to date, usage has partitions for 2 days ahead$/)
      assert.ok(server.superuser)
      await withClient(server.address, server.superuser, async (client) => {
        const { rows } = await client.query<{ name: string }>(
          String.raw`select oid::regclass::text as name from pg_class
            where relname ~ '^usage_\d{8}$' and relkind = 'r' and relnamespace = 'live'::regnamespace
            order by 1 desc limit 2`,
        )
        for (const { name } of rows) await client.query(`drop table ${name}`)
      })
      const few = await checkDatabase(config(whole))
      assert.equal(few.status, "warn", few.message)
      assert.match(few.message, /^Usage rows have partitions until today alone/)
      assert.match(few.advice ?? "", /^A start makes them/)
      await withClient(server.address, server.superuser, (client) =>
        client.query("select live.extend_usage(2)"),
      )
      assert.equal((await checkDatabase(config(whole))).status, "ok")
    } finally {
      await server.close()
    }
  })

  it("running, without the password to ask it: no advice that does not fit", async () => {
    const server = await openServer(config(whole), fileSecrets(whole))
    try {
      assert.match((await checkDatabase(config(whole))).message, /answers and is up to date/)
      await forgetSecrets(whole, "zt_migrate-password")
      const { status, message, advice } = await checkDatabase(config(whole))
      assert.equal(status, "warn")
      assert.match(message, /zt_migrate-password/)
      assert.match(advice ?? "", /start makes another/)
    } finally {
      await server.close()
    }
  })

  it("has no cluster, but a file in its place", async () => {
    const copy = join(folder, "copy")
    await mkdir(join(copy, "postgres"), { recursive: true })
    await writeFile(join(copy, "postgres/data"), "")
    assert.equal((await checkDatabase(config(copy))).status, "fail")
    await rm(copy, { recursive: true })
  })
})

/** Every path with its size and when it was changed. */
async function contents(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  return Promise.all(
    names.sort().map(async (name) => {
      const { size, mtimeMs } = await stat(join(folder, name))
      return `${name} ${size} ${mtimeMs}`
    }),
  )
}
