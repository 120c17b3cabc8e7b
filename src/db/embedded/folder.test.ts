import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { cp, mkdir, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { POSTGRES_PACKAGES } from "../../../test/postgres-servers.ts"
import { forgetSecrets } from "../../../test/secrets.ts"
import { readConfig } from "../../config.ts"
import { Problem } from "../../core/problem.ts"
import { fileSecrets } from "../../secrets/files.ts"
import { openServer } from "../server.ts"
import { outputProblem } from "./folder.ts"

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

const STOPPED =
  /database files .* are damaged \(PostgreSQL says: .+\)\. Restore a backup of the data folder, or move it away to start anew\. Nothing in it was overwritten/

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
    ["pg_control is overwritten", scribble("global/pg_control"), STOPPED],
    [
      "pg_control is cut off",
      (data: string) => truncate(join(data, "global/pg_control"), 0),
      STOPPED,
    ],
    ["pg_control is noise", noise, STOPPED],
    ["the write-ahead log is gone", remove("pg_wal"), STOPPED],
    ["the write-ahead log is empty", emptyLog, STOPPED],
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
    await rm(join(copy, "secrets.age"))
    assert.match(await refusal(copy), /not its secrets: put back/)
    await rm(copy, { recursive: true })
  })

  it("a role's password is gone: another is made", async () => {
    const copy = join(folder, "copy")
    await cp(whole, copy, { recursive: true })
    for (const role of ["zt_migrate", "zt_runtime", "zt_admin"]) {
      await forgetSecrets(copy, `${role}-password`)
      const server = await openServer(readConfig({ ZT_DATA_DIR: copy }), fileSecrets(copy))
      const rows = await Promise.all([
        server.database().asTenant("live", "", (tx) => tx.query("select 1 as one")),
        server.admin().asOperator((tx) => tx.query("select 1 as one")),
      ])
      await server.close()
      assert.deepEqual(rows, [[{ one: 1 }], [{ one: 1 }]], role)
    }
    await rm(copy, { recursive: true })
  })

  it("its superuser's password is another's", async () => {
    const copy = join(folder, "copy")
    await cp(whole, copy, { recursive: true })
    await fileSecrets(copy).set("superuser-password", "another's")
    await forgetSecrets(copy, "zt_runtime-password")
    assert.match(await refusal(copy, "DATABASE"), /superuser-password.*not this database's/)
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

function noise(data: string): Promise<void> {
  return writeFile(join(data, "global/pg_control"), Buffer.alloc(8192, "random bytes"))
}

async function emptyLog(data: string): Promise<void> {
  await rm(join(data, "pg_wal"), { recursive: true })
  await mkdir(join(data, "pg_wal"))
}

describe("what a PostgreSQL program that failed says", () => {
  for (const [line, message] of [
    [
      'FATAL:  could not extend file "base/1/1255": wrote only 4096 of 8192 bytes at block 9',
      /The disk is full: free some space/,
    ],
    ["FATAL:  could not write file: No space left on device", /The disk is full/],
    ["PANIC:  could not locate a valid checkpoint record at 0/1", /damaged/],
    ['FATAL:  configuration file "postgresql.conf" contains errors', /cannot be used/],
  ] as const) {
    it(line, () => assert.match(outputProblem("folder", line).message, message))
  }
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
