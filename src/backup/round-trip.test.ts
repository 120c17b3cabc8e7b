import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { mkdtemp, readdir, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import type { EmptyDatabase, TestBackup } from "../../test/backup.ts"
import {
  backingOf,
  backUp,
  catalogOf,
  digestsOf,
  emptyDatabase,
  fill,
  NEVER,
  newIdentity,
} from "../../test/backup.ts"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { addUsageDays } from "../../test/usage-days.ts"
import { credentials, withClient } from "../db/connection.ts"
import type { Migration } from "../db/migrator.ts"
import { loadMigrations, migrate } from "../db/migrator.ts"
import { fileSecrets } from "../secrets/files.ts"
import { withCopyClient } from "./connection.ts"
import type { Loaded } from "./load.ts"
import { loadBackup } from "./load.ts"
import { makeBackup } from "./make.ts"
import { takeBackup } from "./take.ts"

for (const [from, into] of [
  [18, 18],
  [15, 15],
  [15, 18],
] as const) {
  describe(`a backup of PostgreSQL ${from} restored into ${into}`, () => {
    let db: TestDatabase
    let backup: TestBackup
    let empty: EmptyDatabase
    before(async () => {
      db = await createDatabase(from)
      await fill(db)
      await db.asSuperuser(async (client) => {
        await addUsageDays(client, 40, 40) // a day that no migration makes
        await client.query(
          `insert into live.usage (tenant_id, request_id, key_id, at, route, units, plan)
            select id, id, id, now() - interval '40 days', 1, 1, '' from platform.tenant`,
        )
      })
      backup = await backUp(db)
      empty = await emptyDatabase(into)
    })
    after(async () => {
      await Promise.all([db.drop(), empty.drop(), rm(backup.folder, { recursive: true })])
    })

    it("is one file, that only its owner may read, and the tenants' keys", async () => {
      assert.deepEqual((await readdir(backup.folder)).sort(), ["one.age", "tenant-keys.age"])
      assert.equal((await stat(backup.file)).mode & 0o777, 0o600)
      assert.equal((await stat(backup.seeds)).mode & 0o777, 0o600)
    })

    it("gives the same rows, table by table, and the same catalog", async () => {
      const { erased, tables } = await load(empty, backup)
      assert.equal(erased, 0)
      const usage = tables.filter(({ name }) => /^usage_\d{8}$/.test(name))
      assert.equal(
        usage.reduce((sum, { rows }) => sum + rows, 0),
        502,
      )
      const [original, restored] = await Promise.all([
        db.asSuperuser(look),
        empty.asSuperuser(look),
      ])
      const { ["audit.entry"]: _before, ...was } = original.digests
      const { ["audit.entry"]: _after, ...is } = restored.digests // one more: it was restored
      assert.deepEqual(is, was)
      if (from === into) assert.deepEqual(restored.catalog, original.catalog)
    })
  })
}

describe("making a backup", () => {
  let db: TestDatabase
  let folder: string
  before(async () => {
    db = await createDatabase()
    await fill(db, 2_000)
    folder = await mkdtemp(join(tmpdir(), "zt-making-"))
  })
  after(() => Promise.all([db.drop(), rm(folder, { recursive: true })]))

  it("that is stopped leaves no file", async () => {
    const backing = await backingOf(db, await newIdentity())
    const stop = new AbortController()
    const making = makeBackup({
      backing,
      file: join(folder, "stopped.age"),
      signal: stop.signal,
      progress: () => stop.abort(new Error("stopped")),
    })
    await assert.rejects(making, /stopped/)
    assert.deepEqual(await readdir(folder), [])
  })

  it("never overwrites a file that is there, nor another deployment's keys", async () => {
    const backing = await backingOf(db, await newIdentity())
    const options = { admin: db.admin, backing, actor: "test", signal: NEVER }
    await takeBackup({ ...options, file: join(folder, "first.age") })
    const again = takeBackup({ ...options, file: join(folder, "first.age") })
    await assert.rejects(again, /is there already/)
    const other = await backingOf(db, await newIdentity())
    const foreign = takeBackup({ ...options, backing: other, file: join(folder, "second.age") })
    await assert.rejects(foreign, /tenant-keys.age is not this deployment's/)
    assert.deepEqual((await readdir(folder)).sort(), ["first.age", "tenant-keys.age"])
  })

  it("is an entry of the audit log before anything is read, so it is in the backup", async () => {
    const rows = await db.asSuperuser((client) =>
      client.query("select actor, subject from audit.entry where action = 'backup.started'"),
    )
    assert.deepEqual(rows.rows, [{ actor: "test", subject: join(folder, "first.age") }])
  })

  it("that row security would leave short is refused", async () => {
    await db.asSuperuser((client) => client.query(`drop policy backup on ${today()}`))
    const backing = await backingOf(db, await newIdentity())
    const making = makeBackup({ backing, file: join(folder, "short.age"), signal: NEVER })
    await assert.rejects(making, /live\.usage_\d+ has \d+ rows, and zt_backup reads 0 of them/)
    assert.ok(!(await readdir(folder)).includes("short.age"))
  })
})

describe("releases", () => {
  const extra = (number: number, name: string, sql: string): Migration => ({
    number,
    name: `${String(number).padStart(4, "0")}_${name}`,
    sha256: createHash("sha256").update(sql).digest("hex"),
    sql,
  })
  let later: Migration[]
  let next: number
  let db: TestDatabase
  let old: TestBackup
  let backup: TestBackup
  before(async () => {
    const migrations = await loadMigrations()
    next = migrations.length + 1
    later = [
      ...migrations,
      extra(
        next,
        "counted",
        `create table platform.counted (id bigint generated always as identity, at text);
        insert into platform.counted (at) values ('a'), ('b'), ('c');
        alter table platform.counted owner to zt_owner;
        grant select on platform.counted, platform.counted_id_seq to zt_backup;`,
      ),
      extra(
        next + 1,
        "found",
        "-- no transaction\ncreate index concurrently on platform.counted (at);\n",
      ),
    ]
    db = await createDatabase()
    await fill(db, 100)
    old = await backUp(db)
    const { source } = await backingOf(db, old)
    await withClient(source.address, source.counter, (client) => migrate(client, later))
    await db.asSuperuser((client) =>
      client.query(
        "insert into platform.counted (at) values ('x'); delete from platform.counted where id in (2, 4)",
      ),
    )
    backup = await backUp(db)
  })
  after(() =>
    Promise.all([db.drop(), ...[old, backup].map(({ folder }) => rm(folder, { recursive: true }))]),
  )

  it("what migrations put into tables is as the backup has it; sequences go on", async () => {
    const empty = await emptyDatabase(18)
    await load(empty, backup, later)
    const next = await empty.asSuperuser(async (client) => {
      await client.query("insert into platform.counted (at) values ('d')")
      return client.query("select id::int from platform.counted order by id")
    })
    assert.deepEqual(
      next.rows.map(({ id }) => id),
      [1, 3, 5],
    )
    assert.ok((await empty.asSuperuser(catalogOf)).some((line) => line.includes("counted_at_idx")))
    await empty.drop()
  })

  it("no column has a type whose binary form is one server's (of migrations' own making)", async () => {
    const own = await db.asSuperuser((client) =>
      client.query(
        `select attrelid::regclass::text || '.' || attname as name from pg_attribute
          where attnum > 0 and atttypid >= 16384 and attrelid in (select oid from pg_class
            where relkind in ('r', 'p') and relnamespace::regnamespace::text !~ '^(pg_|information_)')`,
      ),
    )
    assert.deepEqual(own.rows, [])
  })

  it("an older backup is loaded as it was, and migrated afterwards", async () => {
    const empty = await emptyDatabase(18)
    await load(empty, old, later)
    const migrator = await credentials(empty.secrets, "zt_migrate")
    const names = await withClient(empty.address, migrator, (client) => migrate(client, later))
    assert.deepEqual(
      names,
      later.slice(-2).map(({ name }) => name),
    )
    await empty.drop()
  })

  it("a newer one, or one of other migrations, is refused", async () => {
    const empty = await emptyDatabase(18)
    await assert.rejects(
      load(empty, backup, later.slice(0, -2)),
      /newer release \(.*with \d{4}_counted\)/,
    )
    const other = later.with(-2, extra(next, "counted", "select 1"))
    await assert.rejects(load(empty, backup, other), /whose \d{4}_counted is not this one's/)
    assert.deepEqual(await empty.asSuperuser(digestsOf), {})
    await empty.drop()
  })

  it("what does not come out of the database as it went in is not committed", async () => {
    const empty = await emptyDatabase(18)
    await empty.asSuperuser((client) => client.query(MEDDLE))
    await assert.rejects(
      load(empty, old),
      /live\.usage_\d+ does not come out of the database as it is in/,
    )
    assert.deepEqual(await empty.asSuperuser(digestsOf), {})
    await empty.drop()
  })
})

/** The partition of usage that rows go into now. */
function today(): string {
  return `live.usage_${new Date().toISOString().slice(0, 10).replaceAll("-", "")}`
}

/** Changes rows as they come in, as a failing disk or a trigger nobody remembers would. */
const MEDDLE = `
  create function meddle() returns trigger language plpgsql as $$ begin new.route := 9; return new; end $$;
  create function plant() returns event_trigger language plpgsql security definer as $$ begin
    if to_regclass('live.usage') is not null
        and not exists (select from pg_trigger where tgname = 'meddle') then
      create trigger meddle before insert on live.usage for each row execute function meddle();
    end if;
  end $$;
  grant usage on schema public to public;
  grant execute on function meddle(), plant() to public;
  create event trigger plant on ddl_command_end when tag in ('ALTER TABLE') execute function plant()`

async function look(client: Parameters<typeof catalogOf>[0]) {
  return { digests: await digestsOf(client), catalog: await catalogOf(client) }
}

async function load(
  empty: EmptyDatabase,
  { folder, file, seeds, identity, deployment }: TestBackup,
  program?: readonly Migration[],
): Promise<Loaded> {
  const migrations = program ?? (await loadMigrations())
  const secrets = fileSecrets(folder) // what it restores goes there
  return withCopyClient(empty.address, await credentials(empty.secrets, "zt_migrate"), (client) =>
    loadBackup(client, {
      backup: { path: file, kind: "backup", identity, deployment },
      seeds: { path: seeds, kind: "tenant-keys", identity, deployment },
      secrets,
      migrations,
      actor: "test",
      signal: NEVER,
    }),
  )
}
