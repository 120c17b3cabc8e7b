/** Claim I1: the control that fails a migration which adds a tenant table without row security. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { credentials, withClient } from "../db/connection.ts"
import type { Migration } from "../db/migrator.ts"
import { loadMigrations, migrate } from "../db/migrator.ts"
import { checkRowSecurity } from "./row-security.ts"

const TABLE = `create table live.thing (
  tenant_id uuid not null references platform.tenant, id uuid, primary key (tenant_id, id));
alter table live.thing owner to zt_owner;`
const ENABLE = "alter table live.thing enable row level security;"
const FORCE = "alter table live.thing force row level security;"
const ALL_ROWS =
  "create policy every_row on live.thing to zt_migrate using (true) with check (true);"
const own = (condition: string) => `create policy own_rows on live.thing to zt_tenant ${condition};`
const OWN = own("using (tenant_id = (select platform.current_tenant()))")

const MIGRATIONS: readonly (readonly [what: string, sql: string, finding: RegExp | undefined])[] = [
  ["has all of it", TABLE + ENABLE + FORCE + ALL_ROWS + OWN, undefined],
  ["has no policy for customers, so they see no row", TABLE + ENABLE + FORCE + ALL_ROWS, undefined],
  ["forgets row security", TABLE, /without row security/],
  ["forgets to force it", TABLE + ENABLE + ALL_ROWS + OWN, /not forced/],
  [
    "lets a tenant see all",
    TABLE + ENABLE + FORCE + own("using (true)"),
    /own_rows, by which zt_tenant/,
  ],
  [
    "lets a tenant write for others",
    TABLE +
      ENABLE +
      FORCE +
      own("using (tenant_id = (select platform.current_tenant())) with check (true)"),
    /own_rows, by which zt_tenant/,
  ],
  [
    "compares another column with the tenant",
    TABLE + ENABLE + FORCE + own("using (id = (select platform.current_tenant()))"),
    /own_rows, by which zt_tenant/,
  ],
  [
    "adds an or",
    TABLE +
      ENABLE +
      FORCE +
      own("using (tenant_id = (select platform.current_tenant()) or id is null)"),
    /own_rows, by which zt_tenant/,
  ],
  [
    "calls its tenant otherwise",
    "create table live.thing (customer uuid primary key references platform.tenant)",
    /no tenant_id, and is not listed/,
  ],
  [
    "makes a view of tenants' rows",
    "create view live.vista as select tenant_id from live.usage",
    /is a view of tenants' rows/,
  ],
  [
    "takes it from a table that had it",
    "alter table live.usage no force row level security",
    /not forced/,
  ],
]

for (const major of [18, 15] as const) {
  describe(`a migration that adds a table on PostgreSQL ${major}`, () => {
    let db: TestDatabase
    let migrations: readonly Migration[]
    before(async () => {
      migrations = await loadMigrations()
      db = await createDatabase(major)
    })
    after(() => db.drop())

    for (const [what, sql, finding] of MIGRATIONS) {
      it(`${finding === undefined ? "passes" : "is found"} where it ${what}`, async () => {
        const login = await credentials(db.secrets, "zt_migrate")
        const found = await withClient({ url: db.url }, login, async (client) => {
          migrations = [...migrations, migration(migrations.length + 1, sql)]
          await migrate(client, migrations)
          const all = await checkRowSecurity(client)
          await client.query("drop table if exists live.thing; drop view if exists live.vista")
          return all
        })
        const texts = found.map(({ subject, message }) => `${subject} ${message}`)
        if (finding === undefined) assert.deepEqual(texts, [])
        else assert.match(texts.join("\n"), finding)
      })
    }
  })
}

function migration(number: number, sql: string): Migration {
  return { number, name: `next_${number}`, sha256: "0".repeat(64), sql }
}
