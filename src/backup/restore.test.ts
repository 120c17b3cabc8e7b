import assert from "node:assert/strict"
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import type { TestBackup } from "../../test/backup.ts"
import { backUp, digestsOf, fill, NEVER } from "../../test/backup.ts"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { POSTGRES_PACKAGES } from "../../test/postgres-servers.ts"
import { readConfig } from "../config.ts"
import { credentials, withClient } from "../db/connection.ts"
import { openEmbedded } from "../db/embedded/embedded.ts"
import { openServer } from "../db/server.ts"
import { issueKey, listKeys } from "../keys/keys.ts"
import { eraseTenant, listTenants } from "../keys/tenants.ts"
import { fileSecrets } from "../secrets/files.ts"
import { Keyring } from "../secrets/keyring.ts"
import { restore } from "./restore.ts"

describe("a restore", () => {
  let db: TestDatabase
  let backup: TestBackup
  let root: string
  let identityFile: string
  before(async () => {
    db = await createDatabase(15)
    await fill(db)
    backup = await backUp(db)
    root = await mkdtemp(join(tmpdir(), "zt-restore-"))
    identityFile = join(root, "key.txt")
    await writeFile(identityFile, backup.identity, { mode: 0o600 })
  })
  after(async () => {
    await db.drop()
    await Promise.all([rm(root, { recursive: true }), rm(backup.folder, { recursive: true })])
  })

  const options = (name: string) => ({
    dataDir: join(root, name),
    identity: { identityFile },
    file: backup.file,
    actor: "test",
    signal: NEVER,
  })

  it("into the embedded database: it opens with its secrets, and names can be read", async () => {
    // Of two tenants, one is erased after the backup: the keys beside it say so.
    const keyring = await Keyring.open(db.secrets)
    const [alice] = await db.admin.asOperator((tx) => listTenants(tx, keyring))
    await db.admin.asOperator((tx) => eraseTenant(tx, alice?.id ?? "", "test"))
    const { folder, seeds } = await backUp(db, backup)
    const restored = await restore({ ...options("embedded"), seeds })
    await rm(folder, { recursive: true })
    assert.equal(restored?.erased, 1)
    const { dataDir } = options("embedded")
    assert.deepEqual((await readdir(dataDir)).sort(), ["postgres", "secrets.age"])

    const secrets = fileSecrets(dataDir, { identityFile })
    const server = await openServer(readConfig({ ZT_DATA_DIR: dataDir }), secrets)
    try {
      assert.deepEqual(server.migrated, [])
      const there = await Keyring.open(secrets)
      const [tenants, keys] = await server
        .admin()
        .asOperator(async (tx) => [await listTenants(tx, there), await listKeys(tx, there)])
      assert.deepEqual(
        tenants.map(({ name }) => name),
        [null, "bob"],
      )
      assert.deepEqual(
        keys.map(({ revoked_at }) => revoked_at !== null),
        [true, false],
        "the erased tenant's key stays revoked",
      )
    } finally {
      await server.close()
    }
  })

  it("refuses tenants' keys of another database with the same identity, and leaves nothing", async () => {
    const other = await createDatabase()
    await fill(other, 10)
    // The same tenant's id, another seed.
    const ids = await db.asSuperuser((client) => client.query("select id from platform.tenant"))
    await other.asSuperuser(async (client) => {
      await client.query("set session_replication_role = replica")
      await client.query(
        "update platform.tenant_key set tenant_id = $1 where tenant_id = (select max(tenant_id::text)::uuid from platform.tenant_key)",
        [ids.rows.at(-1).id],
      )
    })
    const { folder, seeds } = await backUp(other, backup)
    await assert.rejects(restore({ ...options("mixed"), seeds }), /do not open what is in/)
    await Promise.all([rm(folder, { recursive: true }), other.drop()])
    assert.ok(!(await readdir(root)).includes("mixed"))
  })

  it("refuses tenants' keys that are older than a tenant, which would end as erased", async () => {
    const keyring = await Keyring.open(db.secrets)
    await db.admin.asOperator((tx) =>
      issueKey(tx, keyring, {
        tenant: "carol",
        environment: "live",
        name: "late",
        actor: "test",
      }),
    )
    const later = await backUp(db, backup)
    const mixed = restore({ ...options("older"), file: later.file, seeds: backup.seeds })
    await assert.rejects(mixed, /are older than .*lack those of 1 of its tenants/)
    assert.ok(!(await readdir(root)).includes("older"))
    await rm(later.folder, { recursive: true })
  })

  describe("into a server of one's own, PostgreSQL 18", () => {
    const databaseUrl = (socket: string) => `postgresql:///restored?host=${socket}`

    it("restores what PostgreSQL 15 had; a second is refused; what fails leaves the server empty", async () => {
      const own = join(root, "own")
      const ownSecrets = fileSecrets(own)
      const server = await openEmbedded(own, ownSecrets, POSTGRES_PACKAGES[18])
      try {
        const there = server.address("postgres")
        const socket = "socketFolder" in there ? there.socketFolder : ""
        const { user, password } = server.superuser
        const adminDatabaseUrl = `postgresql:///postgres?host=${socket}&user=${user}&password=${password}`
        const target = { databaseUrl: databaseUrl(socket), adminDatabaseUrl }
        const look = () =>
          withClient(there, server.superuser, async (client) => {
            const roles = await client.query("select from pg_roles where rolname like 'zt\\_%'")
            const databases = await client.query("select datname from pg_database order by 1")
            return [roles.rowCount, databases.rows.map(({ datname }) => datname)]
          })
        const untouched = await look()

        const stop = new AbortController()
        const stopped = restore({
          ...options("stopped"),
          server: target,
          signal: stop.signal,
          progress: () => stop.abort(new Error("stopped")),
        })
        await assert.rejects(stopped, /stopped/)
        assert.deepEqual(await look(), untouched)
        assert.ok(!(await readdir(root)).includes("stopped"))

        await restore({ ...options("own-data"), server: target })
        assert.deepEqual(await readdir(options("own-data").dataDir), ["secrets.age"])
        const secrets = fileSecrets(options("own-data").dataDir, { identityFile })
        const restored = server.address("restored")
        const migrator = await credentials(secrets, "zt_migrate")
        const count = await withClient(restored, migrator, (client) =>
          client.query("select count(*)::int as usage from live.usage"),
        )
        assert.deepEqual(count.rows, [{ usage: 500 }])
        const { ["platform.tenant_key"]: seeds } = await withClient(
          restored,
          server.superuser,
          digestsOf,
        )
        assert.match(seeds ?? "", /^2 /)

        const again = restore({ ...options("second"), server: target })
        await assert.rejects(again, /This server holds a deployment/)
        assert.ok(!(await readdir(root)).includes("second"))
      } finally {
        await server.close()
      }
    })
  })
})
