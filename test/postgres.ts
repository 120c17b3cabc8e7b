/**
 * Databases for tests: a migrated one is cloned for each, in milliseconds.
 *
 * Importing this makes the process leave the shared servers when its tests are over.
 */
import { after } from "node:test"
import type pg from "pg"
import { credentials } from "../src/db/connection.ts"
import type { AdminDatabase, Database } from "../src/db/database.ts"
import { openAdminDatabase, openDatabase } from "../src/db/pool.ts"
import type { SecretStore } from "../src/secrets/store.ts"
import type { Major } from "./postgres-servers.ts"
import { asSuperuser, cloneDatabase, closeServers, sharedServer } from "./postgres-servers.ts"

after(closeServers)

export interface TestDatabase {
  readonly database: Database
  readonly admin: AdminDatabase
  /** For `ZT_DATABASE_URL`; the roles' passwords are in `secrets`. */
  readonly url: string
  readonly secrets: SecretStore
  /** Works on the database as the server's superuser, to arrange what no role may. */
  asSuperuser<T>(work: (client: pg.Client) => Promise<T>): Promise<T>
  drop(): Promise<void>
}

const POOL_SIZE = 6

/** @returns A migrated database of one's own. Drop it when done. */
export async function createDatabase(major: Major = 18): Promise<TestDatabase> {
  const { server, secrets } = await sharedServer(major)
  const name = await cloneDatabase(server)
  const address = server.address(name)
  const onUnreachable = () => {}
  const [runtime, admin] = await Promise.all([
    credentials(secrets, "zt_runtime"),
    credentials(secrets, "zt_admin"),
  ])
  const database = openDatabase({ address, credentials: runtime, onUnreachable }, POOL_SIZE)
  const adminDatabase = openAdminDatabase({ address, credentials: admin, onUnreachable })
  return {
    database,
    admin: adminDatabase,
    url: `postgresql:///${name}?host=${"socketFolder" in address ? address.socketFolder : ""}`,
    secrets,
    asSuperuser: (work) => asSuperuser(server, name, work),
    async drop() {
      await Promise.all([database.close(), adminDatabase.close()])
      await asSuperuser(server, "postgres", (client) =>
        client.query(`drop database ${name} with (force)`),
      )
    },
  }
}
