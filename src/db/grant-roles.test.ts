/** Grant roles: what the three functions do, and that nobody makes more of them, nor of CREATEROLE. */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { after, before, describe, it } from "node:test"
import type pg from "pg"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { credentials, LOGINS, withClient } from "./connection.ts"
import { sqlState } from "./errors.ts"
import { randomPassword, scramVerifier } from "./password.ts"

const HOUR = "now() + interval '1 hour'"
const VERIFIER = scramVerifier("correct horse", Buffer.alloc(16))
const INVALID = "22023"
const DENIED = "42501"

for (const major of [18, 15] as const) {
  describe(`grant roles on PostgreSQL ${major}`, () => {
    let db: TestDatabase
    before(async () => {
      db = await createDatabase(major)
    })
    after(() => db.drop())

    const newName = () => `zt_grant_${randomBytes(8).toString("hex")}`
    const open = (client: pg.Client, name: unknown, verifier: unknown, until: string = HOUR) =>
      client.query(`select role_admin.open_grant_role($1, $2, ${until})`, [name, verifier])
    const close = async (client: pg.Client, name: string): Promise<number> => {
      const { rows } = await client.query("select role_admin.close_grant_role($1) as left", [name])
      return rows[0].left
    }
    const drop = (client: pg.Client, name: string) =>
      client.query("select role_admin.drop_grant_role($1)", [name])
    /** Where everybody may connect: zt_engineer has no right of any kind in the deployment yet. */
    const elsewhere = () => {
      const url = new URL(db.url)
      url.pathname = "/postgres"
      return { url: url.href }
    }

    it("is opened with a verifier, takes zt_engineer alone, is closed and dropped", async () => {
      const name = newName()
      const password = randomPassword()
      const login = { user: name, password }
      await db.asSuperuser(async (client) => {
        await open(client, name, scramVerifier(password))
        await withClient(elsewhere(), login, async (session) => {
          const { rows } = await session.query(
            `select rolname from pg_roles where pg_has_role(current_user, oid, 'usage') order by 1`,
          )
          assert.deepEqual(
            rows.map(({ rolname }) => rolname),
            ["zt_engineer", name].sort(),
          )
          await assertState(drop(client, name), "55006", "it is open")
          assert.equal(await close(client, name), 1)
          await assert.rejects(session.query("select 1"), "its session was ended")
        })
        while ((await close(client, name)) > 0);
        await assert.rejects(withClient(elsewhere(), login, async () => {}))
        await drop(client, name)
        const { rows } = await client.query("select from pg_roles where rolname = $1", [name])
        assert.equal(rows.length, 0)
      })
    })

    it("ends by itself: after its time, nobody logs in", async () => {
      const name = newName()
      await db.asSuperuser(async (client) => {
        await open(client, name, scramVerifier("p"), "now() + interval '0.2 seconds'")
        await client.query("select pg_sleep(0.3)")
        await assert.rejects(withClient(elsewhere(), { user: name, password: "p" }, async () => {}))
        await close(client, name)
        await drop(client, name)
      })
    })

    for (const [name, because] of [
      [null, "there is none"],
      ["zt_admin", "it is another role's"],
      ["postgres", "it is the administrator's"],
      ["pg_execute_server_program", "it is PostgreSQL's own"],
      ["zt_grant_short", "less than eight characters"],
      [`zt_grant_${"a".repeat(27)}`, "more than 26 characters"],
      ["zt_grant_ABCDEFGH", "upper case"],
      ["zt_grant_abcdefgh\n", "a line feed at the end"],
      ["x\nzt_grant_abcdefgh", "a line before"],
      ['zt_grant_abcdefgh" superuser --', "an injection"],
      ["zt_grant_abcdefgh in role zt_service", "a clause"],
    ] as const) {
      it(`refuses a name: ${because}`, async () => {
        await db.asSuperuser(async (client) => {
          await assertState(open(client, name, VERIFIER), INVALID)
          await assertState(client.query("select role_admin.close_grant_role($1)", [name]), INVALID)
          await assertState(client.query("select role_admin.drop_grant_role($1)", [name]), INVALID)
        })
      })
    }

    for (const [verifier, because] of [
      [null, "there is none"],
      ["correct horse battery staple", "a password in clear"],
      ["md5d41d8cd98f00b204e9800998ecf8427e", "MD5"],
      [`${VERIFIER}' superuser --`, "an injection"],
      [VERIFIER.replace("SHA-256", "SHA-1"), "another hash"],
      [VERIFIER.slice(0, -4), "cut"],
    ] as const) {
      it(`refuses a verifier: ${because}`, async () => {
        await db.asSuperuser((client) => assertState(open(client, newName(), verifier), INVALID))
      })
    }

    for (const [until, because] of [
      ["null", "no end"],
      ["'infinity'", "never"],
      ["now() - interval '1 second'", "it is past"],
    ] as const) {
      it(`refuses an end: ${because}`, async () => {
        await db.asSuperuser((client) =>
          assertState(open(client, newName(), VERIFIER, until), INVALID),
        )
      })
    }

    it("a name is used once", async () => {
      const name = newName()
      await db.asSuperuser(async (client) => {
        await open(client, name, VERIFIER)
        await assertState(open(client, name, VERIFIER), "42710")
        await close(client, name)
        await assertState(open(client, name, VERIFIER), "42710")
        await drop(client, name)
      })
    })

    // On PostgreSQL 15, CREATEROLE reaches every role but superusers: what leads there is barred.
    for (const [what, statement] of [
      ["call the function", `select role_admin.open_grant_role('zt_grant_abcdefgh', 'x', now())`],
      ["become zt_role_admin", "set role zt_role_admin"],
      ["become it for the session", "set session authorization zt_role_admin"],
      ["grant it to itself", "grant zt_role_admin to current_user"],
      ["grant itself programs", "grant pg_execute_server_program to current_user"],
      ["make a role", "create role zt_grant_abcdefgh"],
      ["change a role", "alter role zt_tenant bypassrls"],
      ["change a password", "alter role zt_engineer password 'x'"],
      ["drop a role", "drop role zt_role_admin"],
      ["make a function there", "create function role_admin.f() returns int language sql return 1"],
      ["drop a function there", "drop function role_admin.drop_grant_role(text)"],
      ["change a function there", "alter function role_admin.drop_grant_role(text) reset all"],
      ["drop the schema", "drop schema role_admin cascade"],
      ["rewrite what was taken from PUBLIC", "comment on schema role_admin is '[]'"],
      ["hand it a function", "alter function platform.current_tenant() owner to zt_role_admin"],
    ] as const) {
      it(`no login can ${what}`, async () => {
        for (const login of LOGINS) {
          await withClient(
            { url: db.url },
            await credentials(db.secrets, login),
            async (client) => {
              for (const role of await takes(client, login)) {
                await client.query(`begin read write; set local role ${role}`)
                await assertState(client.query(statement), DENIED, `${login} as ${role}`)
                await client.query("rollback")
              }
            },
          )
        }
      })
    }

    it("search_path and temporary objects of a caller do not reach into them", async () => {
      const name = newName()
      await db.asSuperuser(async (client) => {
        await client.query(`begin;
          create function pg_temp.format(text, variadic text[]) returns text language sql
            return 'alter role zt_tenant bypassrls';
          create function pg_temp.clock_timestamp() returns timestamptz language sql
            return '-infinity'::timestamptz;
          create temp table pg_roles (rolname name, rolcanlogin boolean);
          set local search_path = pg_temp, pg_catalog`)
        try {
          await open(client, name, VERIFIER)
          const { rows } = await client.query(
            "select rolbypassrls from pg_catalog.pg_roles where rolname in ('zt_tenant', $1)",
            [name],
          )
          assert.deepEqual(
            rows.map(({ rolbypassrls }) => rolbypassrls),
            [false, false],
          )
          await assertState(drop(client, name), "55006")
        } finally {
          await client.query("rollback")
        }
      })
    })
  })
}

/** The login itself and every role that it can take. */
async function takes(client: pg.Client, login: string): Promise<string[]> {
  const { rows } = await client.query<{ rolname: string }>(
    "select rolname from pg_roles where pg_has_role(current_user, oid, 'member')",
  )
  return [...new Set([login, ...rows.map(({ rolname }) => rolname)])]
}

async function assertState(
  promise: Promise<unknown>,
  state: string,
  message?: string,
): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.equal(sqlState(error), state, `${message ?? ""} ${String(error)}`)
    return true
  })
}
