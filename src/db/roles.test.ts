import assert from "node:assert/strict"
import { randomUUID } from "node:crypto"
import { after, before, describe, it } from "node:test"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { insertTenant } from "../../test/tenant.ts"
import { credentials, LOGINS, withClient } from "./connection.ts"
import type { Environment, Tx } from "./database.ts"
import { SCHEMAS } from "./database.ts"
import { sqlState } from "./errors.ts"

const ALICE = "0193a000-0000-7000-8000-00000000000a"
const BOB = "0193a000-0000-7000-8000-00000000000b"
const DENIED = "42501"

for (const major of [18, 15] as const) {
  describe(`roles and row security on PostgreSQL ${major}`, () => {
    let db: TestDatabase
    before(async () => {
      db = await createDatabase(major)
      await db.admin.asOperator(async (tx) => {
        for (const tenant of [ALICE, BOB]) await insertTenant(tx, tenant)
        for (const schema of Object.values(SCHEMAS)) {
          for (const tenant of [ALICE, BOB]) await insertKey(tx, schema, tenant)
        }
      })
      for (const environment of ["live", "test"] as const) {
        for (const tenant of [ALICE, BOB]) {
          await db.database.asTenant(environment, tenant, (tx) =>
            insertAnalysis(tx, environment, tenant),
          )
        }
      }
    })
    after(() => db.drop())

    describe("a tenant", () => {
      for (const environment of ["live", "test"] as const) {
        for (const table of ["analysis", "api_key"]) {
          it(`sees its own rows of ${table} and nobody else's (${environment})`, async () => {
            const rows = await db.database.asTenant(environment, ALICE, (tx) =>
              tx.query(`select tenant_id from ${SCHEMAS[environment]}.${table}`),
            )
            assert.deepEqual(rows, [{ tenant_id: ALICE }])
          })
        }

        it(`cannot write a row of another's (${environment})`, async () => {
          await assertState(
            db.database.asTenant(environment, ALICE, (tx) => insertAnalysis(tx, environment, BOB)),
            DENIED,
          )
        })
      }

      it("sees its own row of tenants alone", async () => {
        const rows = await db.database.asTenant("live", BOB, (tx) =>
          tx.query("select id from platform.tenant"),
        )
        assert.deepEqual(rows, [{ id: BOB }])
      })

      it("sees nothing where no tenant is set", async () => {
        const rows = await db.database.asTenant("live", "", (tx) =>
          tx.query("select id from live.analysis"),
        )
        assert.deepEqual(rows, [])
      })

      for (const [what, statement] of [
        ["change its tenant", `select set_config('zt.tenant', '${BOB}', true)`],
        ["take an advisory lock", "select pg_advisory_lock(1)"],
        ["take a shared advisory lock", "select pg_try_advisory_xact_lock_shared(1)"],
        ["make a large object", "select lo_create(0)"],
        ["import a large object", "select lo_from_bytea(0, 'x')"],
        ["notify", "select pg_notify('channel', 'text')"],
        ["read statistics of tables", "select * from pg_stat_user_tables"],
        ["read statistics of columns", "select * from pg_stats"],
        ["read statistics by function", "select pg_stat_get_live_tuples(1::oid)"],
        ["see others' sessions", "select * from pg_stat_activity"],
        ["make a temporary table", "create temp table t (i int)"],
        ["make a table", "create table public.t (i int)"],
        ["read a key's digest", "select digest from live.api_key"],
        ["change what a key may do", "update live.api_key set scopes = 7"],
        ["give a key to another", "update live.api_key set tenant_id = tenant_id"],
        ["read who changed a key", "select * from live.api_key"],
        ["read what detectors found", "select * from live.finding"],
        ["lift a throttle", "select live.lift_throttle(null, null, null, 'x')"],
        ["delete an analysis", "delete from live.analysis"],
        ["read the audit log", "select * from audit.entry"],
        ["write the audit log", "select audit.append(null, '', '', null, '', '{}')"],
        ["reach the sandbox", "select id from sandbox.analysis"],
      ] as const) {
        it(`cannot ${what}`, async () => {
          await assertState(
            db.database.asTenant("live", ALICE, (tx) => tx.query(statement)),
            DENIED,
          )
        })
      }

      for (const environment of ["live", "test"] as const) {
        it(`cannot bring back a revoked key (${environment})`, async () => {
          const rows = await db.database.asTenant(environment, ALICE, async (tx) => {
            const set = `update ${SCHEMAS[environment]}.api_key set revoked_at`
            await tx.query(`${set} = clock_timestamp()`)
            return tx.query(`${set} = null returning id`)
          })
          assert.deepEqual(rows, [])
        })

        it(`has entries of the audit log under a key's name, and its own tenant's (${environment})`, async () => {
          const entry = (actor: string, action: string, tenant: string) =>
            db.database.asTenant(environment, tenant, (tx) =>
              tx.query("select audit.append_own(gen_random_uuid(), $1, $2, 'x', '{}')", [
                actor,
                action,
              ]),
            )
          await entry("key_01h455vb4pex5vsknk084sn02q", "key.renamed", ALICE)
          for (const [actor, action, tenant] of [
            ["cli:root", "key.renamed", ALICE],
            ["key_01h455vb4pex5vsknk084sn02q", "tenant.erased", ALICE],
            ["key_01h455vb4pex5vsknk084sn02q", "key.renamed", ""],
          ] as const) {
            await assertState(entry(actor, action, tenant), "23502")
          }
        })
      }

      it("cannot send two statements as one", async () => {
        await assertState(
          db.database.asTenant("live", ALICE, (tx) => tx.query("select 1; reset role")),
          "42601",
        )
      })
    })

    it("zt_sandbox has no privilege at all in live", async () => {
      const held = await db.asSuperuser(async (client) => {
        const { rows } = await client.query(
          `select 'schema' as thing where has_schema_privilege('zt_sandbox', 'live', 'usage, create')
          union all
          select relname from pg_class
            where relnamespace = 'live'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S')
              and (relkind = 'S' and has_sequence_privilege('zt_sandbox', oid, 'usage, select, update')
                or relkind <> 'S' and (
                  has_table_privilege('zt_sandbox', oid, 'select, insert, update, delete, truncate, references, trigger')
                  or has_any_column_privilege('zt_sandbox', oid, 'select, insert, update, references')))
          union all
          select proname from pg_proc
            where pronamespace = 'live'::regnamespace
              and has_function_privilege('zt_sandbox', oid, 'execute')`,
        )
        return rows
      })
      assert.deepEqual(held, [])
      await assertState(
        db.database.asTenant("test", ALICE, (tx) => tx.query("select id from live.analysis")),
        DENIED,
      )
    })

    it("zt_runtime itself reads no table", async () => {
      for (const table of ["platform.tenant", "live.api_key", "sandbox.analysis", "audit.entry"]) {
        await assertState(db.database.call(`select * from ${table}`), DENIED)
      }
    })

    it("the logins become the roles of the table and no others", async () => {
      const becomes = {
        zt_runtime: ["zt_health", "zt_runtime", "zt_sandbox", "zt_tenant"],
        zt_admin: ["zt_admin", "zt_operator", "zt_tenant"],
        zt_migrate: ["zt_migrate", "zt_owner", "zt_service"],
        zt_backup: ["zt_backup"],
      } as const
      const roles = await db.asSuperuser(async (client) => {
        const { rows } = await client.query<{ rolname: string }>(
          "select rolname from pg_roles order by rolname",
        )
        return rows.map(({ rolname }) => rolname)
      })
      for (const login of LOGINS) {
        const taken: string[] = []
        await withClient(addressOf(db), await credentials(db.secrets, login), async (client) => {
          for (const role of roles) {
            await client.query(`set role ${role}`).then(
              () => taken.push(role),
              () => {},
            )
          }
        })
        assert.deepEqual(taken, becomes[login], login)
      }
    })

    it("none is superuser or bypasses row security; one, which nobody can take, makes roles", async () => {
      const { all, strong } = await db.asSuperuser(async (client) => {
        const { rows } = await client.query<{ rolname: string; strong: boolean }>(
          `select rolname, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication
            as strong from pg_roles where rolname like 'zt\\_%' order by rolname`,
        )
        return { all: rows.map(({ rolname }) => rolname), strong: rows.filter((row) => row.strong) }
      })
      assert.deepEqual(all, [
        "zt_admin",
        "zt_backup",
        "zt_engineer",
        "zt_health",
        "zt_migrate",
        "zt_operator",
        "zt_owner",
        "zt_role_admin",
        "zt_runtime",
        "zt_sandbox",
        "zt_service",
        "zt_tenant",
      ])
      assert.deepEqual(strong, [{ rolname: "zt_role_admin", strong: true }])
    })

    it("zt_migrate sees and changes every row, where the owner sees none", async () => {
      await withClient(
        addressOf(db),
        await credentials(db.secrets, "zt_migrate"),
        async (client) => {
          await client.query("begin")
          const asItself = await client.query("update platform.tenant set plan = plan")
          await client.query("set local role zt_owner")
          const asOwner = await client.query("update platform.tenant set plan = plan")
          await client.query("rollback")
          assert.deepEqual([asItself.rowCount, asOwner.rowCount], [2, 0])
        },
      )
    })

    it("an operator cannot read what tenants analysed", async () => {
      await assertState(
        db.admin.asOperator((tx) => tx.query("select id from live.analysis")),
        DENIED,
      )
    })
  })
}

function addressOf({ url }: TestDatabase) {
  return { url }
}

function insertKey(tx: Tx, schema: string, tenantId: string): Promise<unknown> {
  return tx.query(
    `insert into ${schema}.api_key (tenant_id, id, sealed_name, index8, digest)
      values ($1, $2, '', 'abcdefgh', sha256('key'))`,
    [tenantId, randomUUID()],
  )
}

function insertAnalysis(tx: Tx, environment: Environment, tenantId: string): Promise<unknown> {
  return tx.query(
    `insert into ${SCHEMAS[environment]}.analysis
        (tenant_id, id, domain_index, observed_at, expires_at, sealed)
      values ($1, $2, '\\x00112233445566778899aabbccddeeff', now(), now(), '')`,
    [tenantId, randomUUID()],
  )
}

async function assertState(promise: Promise<unknown>, state: string): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.equal(sqlState(error), state, String(error))
    return true
  })
}
