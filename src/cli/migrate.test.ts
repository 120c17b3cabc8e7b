import assert from "node:assert/strict"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import type pg from "pg"
import { POSTGRES_PACKAGES } from "../../test/postgres-servers.ts"
import type { Config } from "../config.ts"
import { readConfig } from "../config.ts"
import { Problem } from "../core/problem.ts"
import { withClient } from "../db/connection.ts"
import type { EmbeddedServer } from "../db/embedded/embedded.ts"
import { openEmbedded } from "../db/embedded/embedded.ts"
import { openServer } from "../db/server.ts"
import { fileSecrets } from "../secrets/files.ts"
import type { SecretStore } from "../secrets/store.ts"
import type { Cli } from "./cli.ts"
import { checkPrivilegesOf } from "./doctor-privileges.ts"
import { run } from "./migrate.ts"

const SUPERUSER = "superuser"
const MANAGER = "role that makes roles and databases, as managed services have it"

for (const [major, administrator] of [
  [18, SUPERUSER],
  [18, MANAGER],
  [15, SUPERUSER],
  [15, MANAGER],
] as const) {
  // A server that knows nothing of us: an embedded one that nobody bootstrapped.
  describe(`migrate on a PostgreSQL ${major} of one's own, by a ${administrator}`, () => {
    let folder: string
    let server: EmbeddedServer
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "zt-own-"))
      const secrets = fileSecrets(join(folder, "server"))
      server = await openEmbedded(join(folder, "server"), secrets, POSTGRES_PACKAGES[major])
      await asSuperuser("postgres", (client) =>
        client.query("create role manager login createrole createdb password 'manager'"),
      )
    })
    const asSuperuser = <T>(database: string, work: (client: pg.Client) => Promise<T>) =>
      withClient(server.address(database), server.superuser, work)
    after(async () => {
      await server.close()
      await rm(folder, { recursive: true })
    })

    const config = (settings: Record<string, string> = {}, database = "zt") => {
      const address = server.address(database)
      const host = "socketFolder" in address ? address.socketFolder : ""
      const { user, password } =
        administrator === SUPERUSER ? server.superuser : { user: "manager", password: "manager" }
      return readConfig({
        ZT_DATA_DIR: join(folder, "ours"),
        ZT_DATABASE_URL: `postgresql:///${database}?host=${host}`,
        ZT_ADMIN_DATABASE_URL: `postgresql:///postgres?host=${host}&user=${user}&password=${password}`,
        ...settings,
      })
    }
    const open = (settings: Config) => openServer(settings, fileSecrets(settings.dataDir))

    it("a start before it names the command", async () => {
      await assert.rejects(open(config()), isProblem("DATABASE", /migrate --bootstrap/))
    })

    it("--bootstrap needs an administrator", async () => {
      const { adminDatabaseUrl: _, ...rest } = config()
      const settings = { ...rest, adminDatabaseUrl: undefined }
      await assert.rejects(
        run(["--bootstrap"], cli(settings)),
        isProblem("INVALID_SETTING", /ZT_ADMIN_DATABASE_URL/),
      )
    })

    it("--bootstrap makes database, roles and tables, and again is harmless", async () => {
      const first = cli(config(), true)
      assert.equal(await run(["--bootstrap"], first), 0)
      const [document = ""] = first.lines
      const result = JSON.parse(document)
      assert.equal(Number.parseInt(result.postgres, 10), major)
      assert.equal(result.migrated[0], "0001_schemas_and_tenants")
      if (administrator === SUPERUSER) {
        assert.deepEqual(result.weaknesses, [])
      } else {
        assert.ok(result.weaknesses.includes("set_config(text,text,boolean)"), "is not hidden")
        assert.match(first.warnings.join(), /Isolation is weaker.*set_config/)
      }

      const second = cli(config())
      assert.equal(await run(["--bootstrap"], second), 0)
      const recorded = await asSuperuser("zt", (client) =>
        client.query("select actor from audit.entry where action = 'database.bootstrapped'"),
      )
      assert.equal(recorded.rows.length, 2)
      assert.match(second.lines.join("\n"), /Roles are set up\.\nThe database .* is up to date\./)
    })

    it("then everybody may do what is documented; where more, it is said to be weaker", async () => {
      const findings = await checkPrivilegesOf(config())
      const statuses = new Set(findings.map(({ status }) => status))
      assert.deepEqual(
        [...statuses],
        [administrator === SUPERUSER ? "ok" : "warn"],
        JSON.stringify(findings),
      )
      await asSuperuser("zt", (client) => client.query("grant update on live.usage to zt_runtime"))
      const [finding] = await checkPrivilegesOf(config())
      assert.equal(finding?.status, "fail")
      assert.match(finding?.message ?? "", /^live\.usage: zt_runtime \| update \(not documented\)/)
      await asSuperuser("zt", (client) =>
        client.query("revoke update on live.usage from zt_runtime"),
      )
    })

    it("--bootstrap says that the administrator's login was refused", async () => {
      const { adminDatabaseUrl = "", ...rest } = config()
      const settings = {
        ...rest,
        adminDatabaseUrl: adminDatabaseUrl.replace(/password=.*/, "password=x"),
      }
      await assert.rejects(
        run(["--bootstrap"], cli(settings)),
        isProblem("DATABASE", /administrator's login was refused.*ZT_ADMIN_DATABASE_URL/),
      )
    })

    for (const [what, before] of [
      ["without passwords", async () => {}],
      ["with those of another server", (other) => other.set("zt_migrate-password", "another's")],
    ] as const satisfies [string, (other: SecretStore) => Promise<void>][]) {
      it(`--bootstrap from a data folder ${what} is refused, and the first goes on`, async () => {
        const other = config({ ZT_DATA_DIR: join(folder, `other ${what}`) })
        await before(fileSecrets(other.dataDir))
        await assert.rejects(
          run(["--bootstrap"], cli(other)),
          isProblem("DATABASE", /from another data folder: copy its secrets\.age/),
        )
        await (await open(config())).close()

        // The way out, where the first folder is lost.
        const forget = () =>
          asSuperuser("zt", (client) => client.query("comment on role zt_owner is null"))
        await forget()
        assert.equal(await run(["--bootstrap"], cli(other)), 0)
        await (await open(other)).close()
        await forget()
        assert.equal(await run(["--bootstrap"], cli(config())), 0)
      })
    }

    it("then a start works, and says that the server is not embedded", async () => {
      const opened = await open(config())
      const rows = await opened.database().asTenant("live", "", (tx) => tx.query("select 1 as one"))
      assert.deepEqual([rows, opened.embedded], [[{ one: 1 }], false])
      await opened.admin().asOperator((tx) => tx.query("select 1"))
      const sessions = await asSuperuser("zt", (client) =>
        client.query(`select distinct usename from pg_stat_activity
          where datname = 'zt' and pid <> pg_backend_pid() order by 1`),
      )
      assert.deepEqual(
        sessions.rows.map(({ usename }) => usename),
        ["zt_admin", "zt_runtime"],
        "nothing connects as an administrator",
      )
      await opened.close()
    })

    it("--bootstrap again while an instance serves: no request of it fails", async () => {
      const opened = await open(config())
      const database = opened.database()
      let served = 0
      let going = true
      const serving = (async () => {
        while (going) {
          await database.asTenant("live", "", (tx) => tx.query("select id from live.analysis"))
          await database.call("select 1")
          served++
        }
      })()
      for (let i = 0; i < 3; i++) await run(["--bootstrap"], cli(config()))
      going = false
      await serving
      assert.ok(served > 0)
      await opened.close()
    })

    for (const [argv, message] of [
      [["--drop"], /say so by --confirm zt$/],
      [
        ["--drop", "--confirm", "zt2"],
        /all of its data with it, for good: say so by --confirm zt$/,
      ],
      [["--confirm", "zt"], /--confirm is for --drop/],
      [["--drop", "--bootstrap", "--confirm", "zt"], /not both/],
    ] as const) {
      it(`${argv.join(" ")} is refused, and nothing happens`, async () => {
        await assert.rejects(run([...argv], cli(config())), isProblem("WRONG_USAGE", message))
        await (await open(config())).close()
      })
    }

    it("--drop without an administrator, or on the embedded database, says what is missing", async () => {
      const { adminDatabaseUrl: _, ...rest } = config()
      await assert.rejects(
        run(["--drop", "--confirm", "zt"], cli({ ...rest, adminDatabaseUrl: undefined })),
        isProblem("INVALID_SETTING", /ZT_ADMIN_DATABASE_URL/),
      )
      await assert.rejects(
        run(
          ["--drop", "--confirm", "zt"],
          cli({ ...rest, databaseUrl: undefined, adminDatabaseUrl: undefined }),
        ),
        isProblem("INVALID_SETTING", /stop the program and remove /),
      )
    })

    it("a start from a data folder without the passwords says so", async () => {
      const settings = config({ ZT_DATA_DIR: join(folder, "stranger") })
      await assert.rejects(open(settings), isProblem("DATABASE", /data folder has no password/))
    })

    it("a start on a database that is behind names the command", async () => {
      await asSuperuser("zt", (client) =>
        client.query("delete from platform.migration where number > 2"),
      )
      await assert.rejects(open(config()), isProblem("DATABASE", /0003.*'bin\/zygentrust migrate'/))
    })

    it("a second deployment on the same server is refused", async () => {
      await assert.rejects(
        run(["--bootstrap"], cli(config({ ZT_DATA_DIR: join(folder, "second") }, "zt2"))),
        isProblem("DATABASE", /already holds a deployment, in the database 'zt'/),
      )
      const databases = await asSuperuser("zt", (client) =>
        client.query("select datname from pg_database where datname = 'zt2'"),
      )
      assert.deepEqual(databases.rows, [], "nothing was made")
    })

    it("a role that was there before and holds too much is refused", async () => {
      await asSuperuser("zt", (client) => client.query("alter role zt_tenant bypassrls"))
      await assert.rejects(
        run(["--bootstrap"], cli(config())),
        isProblem("DATABASE", /bypass row security.*zt_tenant/),
      )
      await asSuperuser("zt", (client) => client.query("alter role zt_tenant nobypassrls"))
    })

    it("--drop takes it all out, after which a second deployment is welcome", async () => {
      const text = cli(config())
      assert.equal(await run(["--drop", "--confirm", "zt"], text), 0)
      assert.match(
        text.lines.join("\n"),
        /Dropped the roles zt_admin, .*\nDropped the database 'zt'/,
      )
      const second = config({ ZT_DATA_DIR: join(folder, "second") }, "zt2")
      assert.equal(await run(["--bootstrap"], cli(second)), 0)
      const json = cli(second, true)
      assert.equal(await run(["--drop", "--confirm", "zt2"], json), 0)
      const { dropped, database, roles } = JSON.parse(json.lines.join())
      assert.deepEqual([dropped, database, roles.length], ["zt2", true, 12])
    })
  })
}

function cli(config: Config, json = false): Cli & { lines: string[]; warnings: string[] } {
  const lines: string[] = []
  const warnings: string[] = []
  return {
    config,
    json,
    lines,
    warnings,
    out: (text) => lines.push(text),
    err: (text) => warnings.push(text),
    terminal: { color: false, columns: 80, interactive: false },
    signal: new AbortController().signal,
  }
}

function isProblem(code: string, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof Problem && error.code === code, String(error))
    assert.match(error.message, message)
    return true
  }
}
