/**
 * R1: torn, truncated and missing files. What a crash can leave is put right without a hand; what
 * only a broken disk leaves is refused by its name. Nothing acknowledged is passed over in silence.
 */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { globSync, readFileSync, rmSync } from "node:fs"
import { cp, mkdir, open, readFile, rm, truncate, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { fastFolder } from "../../../test/fast-folder.ts"
import { startChild } from "../../../test/postgres-child.ts"
import { readConfig } from "../../config.ts"
import { Problem } from "../../core/problem.ts"
import { fileSecrets } from "../../secrets/files.ts"
import { withClient } from "../connection.ts"
import { openServer } from "../server.ts"
import { EMBEDDED_DATABASE } from "../setup.ts"
import { findBinaries, platformPackage } from "./binaries.ts"
import { folderOf } from "./folder.ts"
import { SUPERUSER } from "./initialise.ts"
import { startPostmaster, stopPostmaster } from "./postmaster.ts"

const PAGE_BYTES = 8_192

describe("files that a crash or a broken disk leaves behind", () => {
  let folder: string
  /** Killed while writing, and stopped in order. */
  let killed: string
  let stopped: string
  /** Names of tenants whose making was acknowledged. */
  let kept: readonly string[]
  const files: Record<string, string> = {}

  before(async () => {
    folder = fastFolder("zt-damage-")
    killed = join(folder, "killed")
    stopped = join(folder, "stopped")
    const child = startChild(killed)
    assert.ok((await child.answer()).ready)
    await asSuperuser(killed, async (client) => {
      await client.query("checkpoint") // what is written from here on is in the log, whole pages too
      for (const table of ["platform.tenant", "platform.migration", "pg_class", "audit.entry"]) {
        const { rows } = await client.query("select pg_relation_filepath($1) as path", [table])
        files[table] = rows[0]?.path
      }
    })
    child.ask("write")
    while (child.kept.length < 20) await new Promise((resolve) => setTimeout(resolve, 5))
    const pid = await readFile(join(killed, "postgres/data/postmaster.pid"), "utf8")
    for (const one of [Number.parseInt(pid, 10), ...childrenOf(Number.parseInt(pid, 10))]) {
      process.kill(one, "SIGKILL")
    }
    await child.kill()
    await rm(join(killed, "postgres/run"), { recursive: true }) // a socket cannot be copied
    kept = child.kept
    await cp(killed, stopped, { recursive: true })
    await (await openServer(config(stopped), fileSecrets(stopped))).close()
  })
  after(() => rmSync(folder, { recursive: true }))

  const config = (dataDir: string) => readConfig({ ZT_DATA_DIR: dataDir })
  const data = (dataDir: string, path = "") => join(dataDir, "postgres/data", path)
  const table = (name: string) => async (dataDir: string) =>
    overwrite(data(dataDir, files[name]), PAGE_BYTES / 2, randomBytes(PAGE_BYTES / 2))

  /** What a copy of a folder says after it was damaged: all that was kept is there, or a refusal. */
  async function visit(from: string, damage: (dataDir: string) => Promise<unknown>) {
    const copy = join(folder, "copy")
    await cp(from, copy, { recursive: true })
    await mkdir(join(copy, "postgres/run"), { recursive: true, mode: 0o700 })
    try {
      await damage(copy)
      const server = await openServer(config(copy), fileSecrets(copy))
      try {
        const there = await server.admin().asOperator(async (tx) => {
          const rows = await tx.query<{ id: string }>("select id from platform.tenant")
          return new Set(rows.map(({ id }) => id))
        })
        return kept.filter((id) => !there.has(id)).length === 0 ? "all is there" : "LOSS"
      } finally {
        await server.close()
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return `${error.code} ${error.message}`
    } finally {
      await rm(copy, { recursive: true })
    }
  }

  describe("after a crash: put right", () => {
    for (const [what, damage] of [
      ["nothing torn", async () => {}],
      [
        "the end of the write-ahead log, half written",
        async (dataDir: string) => {
          const log = globSync("pg_wal/0000*", { cwd: data(dataDir) }).sort()
          const whole = log.map((name) => readFileSync(data(dataDir, name)))
          const last = whole.findLastIndex((bytes) => bytes.some((byte) => byte !== 0))
          const end = (whole[last] ?? Buffer.alloc(0)).findLastIndex((byte) => byte !== 0) + 1
          const next = Math.ceil(end / 8) * 8 // where the next record would begin
          await overwrite(data(dataDir, log[last]), next, randomBytes(3_000))
        },
      ],
      ["a page of a table, half written", table("platform.tenant")],
      ["a page of the audit log, half written", table("audit.entry")],
      ["an empty postmaster.pid", (d: string) => writeFile(data(d, "postmaster.pid"), "")],
      [
        "a postmaster.pid cut off in its number",
        (d: string) => writeFile(data(d, "postmaster.pid"), "1"),
      ],
      ["no postmaster.pid", (d: string) => rm(data(d, "postmaster.pid"), { force: true })],
      [
        "an empty socket lock",
        (d: string) => writeFile(join(d, "postgres/run/.s.PGSQL.5432.lock"), ""),
      ],
    ] as const) {
      it(what, async () => assert.equal(await visit(killed, damage), "all is there"))
    }
  })

  describe("a server that is there already", () => {
    it("whose socket was removed is started anew", async () => {
      const one = await openServer(config(stopped), fileSecrets(stopped))
      await rm(join(stopped, "postgres/run"), { recursive: true })
      const two = await openServer(config(stopped), fileSecrets(stopped))
      await two.admin().asOperator((tx) => tx.query("select from platform.tenant"))
      await Promise.all([one.close(), two.close()])
    })

    // As when a program is killed right after it has started one, and the next comes at once.
    it("and was not to be seen yet is taken", async () => {
      const folderOfIt = folderOf(stopped)
      const binaries = await findBinaries(platformPackage())
      await Promise.all(Array.from({ length: 3 }, () => startPostmaster(folderOfIt, binaries)))
      await stopPostmaster(folderOfIt)
    })
  })

  describe("of a broken disk: refused", () => {
    for (const [what, from, damage, said] of [
      [
        "pg_control, its end zeroes",
        "stopped",
        (d: string) => overwrite(data(d, "global/pg_control"), 150, Buffer.alloc(200)),
        /DATA_FOLDER .*damaged/,
      ],
      [
        "pg_control, truncated",
        "stopped",
        (d: string) => truncate(data(d, "global/pg_control"), 100),
        /DATA_FOLDER .*damaged/,
      ],
      [
        "the write-ahead log, emptied after a crash",
        "killed",
        async (d: string) => {
          for (const name of globSync("pg_wal/0000*", { cwd: data(d) })) {
            await overwrite(data(d, name), 0, Buffer.alloc(16 * 2 ** 20))
          }
        },
        /DATA_FOLDER .*damaged/,
      ],
      [
        "a page of a table",
        "stopped",
        table("platform.tenant"),
        /DATABASE The database's files are damaged \(invalid page/,
      ],
      [
        "a page of the list of migrations",
        "stopped",
        table("platform.migration"),
        /DATABASE The database's files are damaged \(invalid page/,
      ],
      ["a page of the catalog", "stopped", table("pg_class"), /damaged/],
      [
        "a file of the catalog, truncated",
        "stopped",
        (d: string) => truncate(data(d, files["pg_class"]), 0),
        /damaged/,
      ],
      [
        "a file of a table, gone",
        "stopped",
        (d: string) => rm(data(d, files["platform.tenant"])),
        /DATABASE .*damaged/,
      ],
      [
        "postgresql.conf, cut off in a line",
        "stopped",
        (d: string) => writeFile(data(d, "postgresql.conf"), "max_connections = \nshared_bu"),
        /postgresql\.conf/,
      ],
    ] as const) {
      it(what, async () => {
        assert.match(await visit(from === "killed" ? killed : stopped, damage), said)
      })
    }
  })
})

async function overwrite(path: string, position: number, bytes: Buffer): Promise<void> {
  await using file = await open(path, "r+")
  await file.write(bytes, 0, bytes.length, position)
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
  return text.split(" ").filter(Boolean).map(Number)
}

async function asSuperuser(
  dataDir: string,
  work: Parameters<typeof withClient<void>>[2],
): Promise<void> {
  const password = (await fileSecrets(dataDir).get("superuser-password")) ?? ""
  const address = { socketFolder: folderOf(dataDir).run, database: EMBEDDED_DATABASE }
  await withClient(address, { user: SUPERUSER, password }, work)
}
