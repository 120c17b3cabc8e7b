import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { cp, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { POSTGRES_PACKAGES } from "../../../test/postgres-servers.ts"
import { readConfig } from "../../config.ts"
import { Problem } from "../../core/problem.ts"
import { fileSecrets } from "../../secrets/files.ts"
import { openServer } from "../server.ts"

/** Starts on a folder, which must be refused. @returns The message. */
async function refusal(dataDir: string, code = "DATA_FOLDER"): Promise<string> {
  const config = readConfig({ ZT_DATA_DIR: dataDir })
  try {
    const server = await openServer(config, fileSecrets(dataDir))
    await server.close()
  } catch (error) {
    assert.ok(error instanceof Problem && error.code === code, String(error))
    return error.message
  }
  assert.fail("the folder was accepted")
}

describe("a damaged data folder is refused, and nothing in it is overwritten", () => {
  let folder: string
  let whole: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "zt-damaged-"))
    whole = join(folder, "whole")
    const server = await openServer(readConfig({ ZT_DATA_DIR: whole }), fileSecrets(whole))
    await server.close()
  })
  after(() => rm(folder, { recursive: true }))

  const remove = (path: string) => (data: string) => rm(join(data, path), { recursive: true })
  for (const [damage, act, message, code] of [
    ["PG_VERSION is gone", remove("PG_VERSION"), /PG_VERSION is missing or damaged.*backup/],
    [
      "PG_VERSION is cut off",
      (data: string) => truncate(join(data, "PG_VERSION"), 1),
      /PG_VERSION is missing or damaged/,
    ],
    ["pg_control is gone", remove("global/pg_control"), /pg_control is missing.*backup/],
    ["pg_control is overwritten", scribble("global/pg_control"), /cannot be used.*checksum/],
    [
      "pg_control is cut off",
      (data: string) => truncate(join(data, "global/pg_control"), 0),
      /cannot be used.*pg_control/,
    ],
    ["the write-ahead log is gone", remove("pg_wal"), /cannot be used.*pg_wal/],
    ["a system table is overwritten", scribble("global/1262"), /damaged.*backup/, "DATABASE"],
    ["the tables are gone", remove("base"), /./, "DATABASE"],
  ] as const) {
    it(damage, async () => {
      const copy = join(folder, "copy")
      await cp(whole, copy, { recursive: true })
      const data = join(copy, "postgres/data")
      await act(data)
      const before = await contents(data)
      assert.match(await refusal(copy, code), message)
      assert.deepEqual(await contents(data), before)
      await rm(copy, { recursive: true })
    })
  }

  it("its secrets are gone", async () => {
    const copy = join(folder, "copy")
    await cp(whole, copy, { recursive: true })
    await rm(join(copy, "secrets"), { recursive: true })
    assert.match(await refusal(copy), /not its secrets: put back/)
    await rm(copy, { recursive: true })
  })

  it("it was made by another major version", async () => {
    const old = join(folder, "old")
    const options = { embeddedPackage: POSTGRES_PACKAGES[15] }
    const server = await openServer(readConfig({ ZT_DATA_DIR: old }), fileSecrets(old), options)
    await server.close()
    const before = await contents(join(old, "postgres/data"))
    assert.match(await refusal(old), /made by PostgreSQL 15, and this program brings 18/)
    assert.deepEqual(await contents(join(old, "postgres/data")), before)
  })

  it("a file lies where the folder should be", async () => {
    const file = join(folder, "file")
    await writeFile(file, "precious")
    assert.match(await refusal(file), /part of that path is a file/)
    assert.equal(await readFile(file, "utf8"), "precious")
  })

  it("it belongs to somebody else", async () => {
    // Nobody's process has uid 65534 and root's files at once.
    const others = process.getuid?.() === 0 ? await ofNobody(folder) : "/"
    assert.match(await refusal(others), /belongs to another user \(uid \d+\)/)
  })
})

function scribble(path: string) {
  return async (data: string) => {
    await using file = await open(join(data, path), "r+")
    await file.write(Buffer.alloc(200, "garbage"), 0, 200, 20)
  }
}

async function ofNobody(folder: string): Promise<string> {
  const path = join(folder, "nobody")
  assert.equal(spawnSync("install", ["-d", "-o", "65534", path]).status, 0)
  return path
}

/** What tells whether a cluster was replaced: its folder, its name, and what it says it is. */
async function contents(data: string) {
  const read = (name: string) => readFile(join(data, name), "latin1").catch(() => "none")
  return {
    folder: (await stat(data)).ino,
    version: await read("PG_VERSION"),
    control: (await read("global/pg_control")).slice(0, 8), // the cluster's own identifier
    settings: await read("postgresql.conf"),
  }
}
