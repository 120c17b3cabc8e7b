/** `migrate --drop` leaves a server as it was, compared by what the catalog says before and after. */
import assert from "node:assert/strict"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import type pg from "pg"
import { POSTGRES_PACKAGES } from "../../test/postgres-servers.ts"
import { readConfig } from "../config.ts"
import { Problem } from "../core/problem.ts"
import { fileSecrets } from "../secrets/files.ts"
import { ROLES } from "./bootstrap.ts"
import { withClient } from "./connection.ts"
import { dropDeployment } from "./drop.ts"
import type { EmbeddedServer } from "./embedded/embedded.ts"
import { openEmbedded } from "./embedded/embedded.ts"
import { openServer } from "./server.ts"
import { bootstrapOwn } from "./setup.ts"

for (const major of [18, 15] as const) {
  // A server that knows nothing of us: an embedded one that nobody bootstrapped.
  describe(`taking a deployment out of PostgreSQL ${major}`, () => {
    let folder: string
    let server: EmbeddedServer
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "zt-drop-"))
      server = await openEmbedded(folder, fileSecrets(folder), POSTGRES_PACKAGES[major])
      await asSuperuser("postgres", async (client) => {
        await client.query("alter system set fsync = off")
        await client.query("select pg_reload_conf()")
        await client.query("create role manager login createrole createdb password 'manager'")
        await client.query("create database theirs owner manager")
        await client.query("create database hardened")
      })
      // What an administrator took from PUBLIC before we came must not be given back.
      await asSuperuser("hardened", (client) =>
        client.query(`revoke temporary on database hardened from public;
          revoke execute on function pg_notify(text, text) from public;
          revoke select on pg_stat_database from public;
          grant execute on function pg_stat_reset() to public;
          grant create on schema public to public;
          create table public.theirs (i int); grant select on public.theirs to public`),
      )
    })
    after(async () => {
      await server.close()
      await rm(folder, { recursive: true })
    })
    const asSuperuser = <T>(database: string, work: (client: pg.Client) => Promise<T>) =>
      withClient(server.address(database), server.superuser, work)
    const administrators = () => ({
      superuser: server.superuser,
      manager: { user: "manager", password: "manager" },
    })
    const url = (database: string, parameters = "") => {
      const address = server.address(database)
      return `postgresql:///${database}?host=${"socketFolder" in address ? address.socketFolder : ""}${parameters}`
    }
    const options = (database: string, who: "superuser" | "manager") => ({
      address: server.address,
      administrator: administrators()[who],
      database,
      maintenanceDatabase: "postgres",
    })
    const bootstrap = (database: string, who: "superuser" | "manager") => {
      const { user, password } = administrators()[who]
      const administrator = url("postgres", `&user=${user}&password=${password}`)
      return bootstrapOwn(url(database), administrator, fileSecrets(join(folder, "ours")))
    }

    for (const [database, who, isMade] of [
      ["made", "superuser", true],
      ["made", "manager", true],
      ["theirs", "manager", false],
      ["theirs", "superuser", false],
      ["hardened", "superuser", false],
    ] as const) {
      it(`leaves the server as it was: '${database}' by a ${who}`, async () => {
        const places = isMade ? ["postgres"] : ["postgres", database]
        const dumps = () => Promise.all(places.map((place) => asSuperuser(place, dump)))
        const beforehand = await dumps()
        await bootstrap(database, who)
        await bootstrap(database, who) // again forgets nothing of what was taken
        await asSuperuser(database, (client) =>
          client.query(
            `select role_admin.open_grant_role('zt_grant_abcdefgh', $1, now() + '1 hour')`,
            [`SCRAM-SHA-256$4096:${"A".repeat(22)}==$${"A".repeat(43)}=:${"A".repeat(43)}=`],
          ),
        )
        assert.notDeepEqual(await dumps(), beforehand, "the dump sees a deployment")
        const dropped = await dropDeployment(options(database, who))
        assert.equal(dropped.database, isMade)
        assert.deepEqual(dropped.roles, [...ROLES, "zt_grant_abcdefgh"].sort())
        assert.deepEqual(await dumps(), beforehand)
      })
    }

    it("is refused while an instance is connected, which is named; then not", async () => {
      await bootstrap("made", "superuser")
      const config = readConfig({ ZT_DATA_DIR: join(folder, "ours"), ZT_DATABASE_URL: url("made") })
      const instance = await openServer(config, fileSecrets(config.dataDir))
      await instance.database().asTenant("live", "", (tx) => tx.query("select 1"))
      for (const who of ["superuser", "manager"] as const) {
        await assert.rejects(
          dropDeployment(options("made", who)),
          isProblem(
            /Instances are connected.*zt_runtime in made.*\(process \d+\).*Nothing was changed/,
          ),
        )
      }
      await instance.database().asTenant("live", "", (tx) => tx.query("select 1"))
      await instance.close()
      assert.equal((await dropDeployment(options("made", "superuser"))).database, true)
    })

    it("is refused where another database is meant, or the roles have more elsewhere", async () => {
      await bootstrap("made", "superuser")
      await assert.rejects(
        dropDeployment(options("theirs", "superuser")),
        isProblem(/deployment is in the database 'made', not in 'theirs'/),
      )
      await assert.rejects(
        dropDeployment({ ...options("made", "superuser"), maintenanceDatabase: "made" }),
        isProblem(/names 'made' itself/),
      )
      const elsewhere = (sql: string) => asSuperuser("theirs", (client) => client.query(sql))
      await elsewhere("grant usage on schema public to zt_tenant")
      await assert.rejects(
        dropDeployment(options("made", "superuser")),
        isProblem(/in other databases too: theirs\./),
      )
      await elsewhere("revoke usage on schema public from zt_tenant")
    })

    it("is refused, all of it, where something of somebody else's depends on it", async () => {
      const inMade = (sql: string) => asSuperuser("made", (client) => client.query(sql))
      await inMade("create view public.theirs as select * from live.usage")
      await assert.rejects(
        dropDeployment(options("made", "superuser")),
        isProblem(/could not take the deployment out.*theirs.*Nothing was changed/),
      )
      await inMade("select from live.usage")
      await inMade("drop view public.theirs; create table public.theirs (i int)")
      const { database } = await dropDeployment(options("made", "superuser"))
      assert.equal(database, false, "it holds what somebody else made")
      await asSuperuser("postgres", (client) => client.query("drop database made"))
    })

    it("says that there is nothing to take out", async () => {
      await assert.rejects(
        dropDeployment(options("made", "superuser")),
        isProblem(/holds no deployment/),
      )
    })

    it("takes the roles out where the database is gone", async () => {
      await bootstrap("made", "superuser")
      await asSuperuser("postgres", (client) => client.query("drop database made"))
      await assert.rejects(
        dropDeployment(options("made", "superuser")),
        isProblem(/'made' is not there any more. Make an empty one/),
      )
      await asSuperuser("postgres", (client) => client.query("create database made"))
      await dropDeployment(options("made", "superuser"))
      const { rows } = await asSuperuser("postgres", (client) =>
        client.query("select rolname from pg_roles where rolname like 'zt%'"),
      )
      assert.deepEqual(rows, [])
      await asSuperuser("postgres", (client) => client.query("drop database made"))
    })
  })
}

/** All that a deployment could leave behind, with privileges by effect: grantor apart. */
async function dump(client: pg.Client): Promise<Record<string, unknown>> {
  const acl = (column: string, kind: string, owner: string) =>
    `(select coalesce(jsonb_agg(a::text order by a::text), '[]') from (
      select grantee::regrole, privilege_type, is_grantable
      from aclexplode(coalesce(${column}, acldefault('${kind}', ${owner})))) a)`
  const found: Record<string, unknown> = {}
  for (const [name, sql] of Object.entries({
    roles: `select to_jsonb(r) - 'oid' as row from pg_roles r`,
    members: `select jsonb_build_array(roleid::regrole, member::regrole, grantor::regrole,
      to_jsonb(m) - 'oid' - 'roleid' - 'member' - 'grantor') as row from pg_auth_members m`,
    settings:
      "select jsonb_build_array(setdatabase, setrole::regrole, setconfig) as row from pg_db_role_setting",
    comments: "select to_jsonb(d) as row from pg_shdescription d",
    databases: `select jsonb_build_array(datname, datdba::regrole, ${acl("datacl", "d", "datdba")}) as row from pg_database`,
    schemas: `select jsonb_build_array(nspname, nspowner::regrole, ${acl("nspacl", "n", "nspowner")},
      obj_description(oid, 'pg_namespace')) as row from pg_namespace where nspname !~ '^pg_(toast_)?temp'`,
    functions: `select jsonb_build_array(oid::regprocedure, proowner::regrole, ${acl("proacl", "f", "proowner")}) as row from pg_proc`,
    relations: `select jsonb_build_array(oid::regclass, relowner::regrole, ${acl("relacl", "r", "relowner")}) as row
      from pg_class where relkind <> 'i'`,
    columns:
      "select jsonb_build_array(attrelid::regclass, attname, attacl) as row from pg_attribute where attacl is not null",
    defaults: "select to_jsonb(d) - 'oid' as row from pg_default_acl d",
    languages: `select jsonb_build_array(lanname, ${acl("lanacl", "l", "lanowner")}) as row from pg_language`,
    initial: "select to_jsonb(i) as row from pg_init_privs i",
    shared: `select jsonb_build_array(dbid, classid::regclass, refobjid::regrole, deptype) as row from pg_shdepend
      where refclassid = 'pg_authid'::regclass`,
  })) {
    const { rows } = await client.query<{ row: unknown }>(sql)
    found[name] = rows.map(({ row }) => JSON.stringify(row)).sort()
  }
  return found
}

function isProblem(message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof Problem, String(error))
    assert.match(error.message, message)
    return true
  }
}
