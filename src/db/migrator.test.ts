import assert from "node:assert/strict"
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, afterEach, before, beforeEach, describe, it } from "node:test"
import type pg from "pg"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { Problem } from "../core/problem.ts"
import { credentials, withClient } from "./connection.ts"
import type { Migration } from "./migrator.ts"
import { loadMigrations, migrate, pendingMigrations } from "./migrator.ts"

for (const major of [18, 15] as const) {
  describe(`migrations on PostgreSQL ${major}`, () => {
    let db: TestDatabase
    let released: Migration[]
    before(async () => {
      released = await loadMigrations()
    })
    beforeEach(async () => {
      db = await createDatabase(major)
    })
    afterEach(() => db.drop())

    const asMigrator = async <T>(work: (client: pg.Client) => Promise<T>) =>
      withClient({ url: db.url }, await credentials(db.secrets, "zt_migrate"), work)
    const next = (sql: string, name = "next"): Migration => ({
      number: released.length + 1,
      name,
      sha256: "0".repeat(64),
      sql,
    })
    const tables = () =>
      asMigrator(async (client) => {
        const { rows } = await client.query<{ name: string }>(
          `select relname as name from pg_class
            where relnamespace = 'live'::regnamespace and relname like 'thing%' order by 1`,
        )
        return rows.map(({ name }) => name)
      })

    it("has nothing to do on a migrated database", async () => {
      assert.deepEqual(await asMigrator((client) => migrate(client, released)), [])
    })

    it("applies what is new, and records it", async () => {
      const migrations = [...released, next("create table live.thing (id int)")]
      assert.deepEqual(await asMigrator((client) => migrate(client, migrations)), ["next"])
      assert.deepEqual(await asMigrator((client) => pendingMigrations(client, migrations)), [])
      assert.deepEqual(await tables(), ["thing"])
    })

    it("a migration that fails leaves nothing, those before it stay", async () => {
      const migrations = [
        ...released,
        next("create table live.thing (id int)"),
        {
          ...next("create table live.thing2 (id int); select 1/0", "bad"),
          number: released.length + 2,
        },
      ]
      await assert.rejects(
        asMigrator((client) => migrate(client, migrations)),
        isProblem(/bad failed: division by zero/),
      )
      assert.deepEqual(await tables(), ["thing"])
      const pending = await asMigrator((client) => pendingMigrations(client, migrations))
      assert.deepEqual(
        pending.map(({ name }) => name),
        ["bad"],
      )
    })

    it("two migrators at once apply it once", async () => {
      const migrations = [
        ...released,
        next("select pg_sleep(0.1); create table live.thing (id int)"),
      ]
      const done = await Promise.all(
        [1, 2, 3].map(() => asMigrator((client) => migrate(client, migrations))),
      )
      assert.deepEqual(done.flat(), ["next"])
    })

    it("the marked kind runs outside a transaction, and again after it was interrupted", async () => {
      const sql = `-- no transaction: a new index on a live table
drop index concurrently if exists live.thing_index;
create index concurrently thing_index on live.api_key (created_at);
`
      const broken = next(sql.replace("(created_at)", "(no_column)"))
      await assert.rejects(
        asMigrator((client) => migrate(client, [...released, broken])),
        isProblem(/no_column/),
      )
      const migrations = [...released, next(sql)]
      assert.deepEqual(await asMigrator((client) => migrate(client, migrations)), ["next"])
      assert.deepEqual(await tables(), ["thing_index"])
    })

    it("refuses a migration that was changed after it was applied", async () => {
      const changed = released.map((migration, index) =>
        index === 1 ? { ...migration, sha256: "f".repeat(64) } : migration,
      )
      await assert.rejects(
        asMigrator((client) => migrate(client, changed)),
        isProblem(/0002_api_keys.* not the same file/),
      )
    })

    it("refuses a database that is missing one of its migrations' files", async () => {
      const lacking = released.toSpliced(1, 1)
      await assert.rejects(
        asMigrator((client) => migrate(client, lacking)),
        isProblem(/0002_api_keys was applied/),
      )
    })

    it("refuses a database that is newer than the program", async () => {
      await assert.rejects(
        asMigrator((client) => migrate(client, released.slice(0, -1))),
        isProblem(/newer release/),
      )
    })

    it("leaves no object with zt_migrate, who only makes them", async () => {
      const left = await asMigrator(async (client) => {
        const { rows } = await client.query(
          `select oid::regclass::text as name from pg_class
              where relowner = 'zt_migrate'::regrole and relkind <> 't'
            union all select oid::regprocedure::text from pg_proc where proowner = 'zt_migrate'::regrole
            union all select nspname from pg_namespace where nspowner = 'zt_migrate'::regrole`,
        )
        return rows
      })
      assert.deepEqual(left, [])
    })
  })
}

describe("migration files", () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "zt-migrations-"))
  })
  after(() => rm(folder, { recursive: true }))

  for (const [names, because] of [
    [["0001_a.sql", "0003_b.sql"], "a number is missing"],
    [["0001_a.sql", "0001_b.sql"], "a number is there twice"],
    [["0001_a.sql", "2_b.sql"], "a number has four digits"],
    [["0001_a.sql", "notes.txt"], "nothing else lies there"],
  ] as const) {
    it(`are refused where ${because}`, async () => {
      for (const name of await readdir(folder)) await rm(join(folder, name))
      for (const name of names) await writeFile(join(folder, name), "select 1")
      await assert.rejects(loadMigrations(folder), TypeError)
    })
  }
})

function isProblem(message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof Problem && error.code === "DATABASE", String(error))
    assert.match(error.message, message)
    return true
  }
}
