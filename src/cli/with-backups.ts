/** What commands need to make backups or renew tenants' keys: the database, and whose backups they are. */
import type { Backing } from "../backup/backing.ts"
import type { AdminDatabase } from "../db/database.ts"
import type { Cli } from "./cli.ts"

interface Opened {
  readonly admin: AdminDatabase
  readonly backing: Backing
  readonly signal: AbortSignal
}

/** Opens the database for one piece of work. @throws Problem */
export async function withBackups<T>(cli: Cli, work: (opened: Opened) => Promise<T>): Promise<T> {
  const [{ openDeployment }, { openSecrets }, { readBacking }] = await Promise.all([
    import("../db/server.ts"),
    import("./open-secrets.ts"),
    import("../backup/backing.ts"),
  ])
  const secrets = openSecrets(cli.config, cli.signal)
  const server = await openDeployment(cli.config, secrets)
  const admin = server.admin()
  try {
    const backing = await readBacking(cli.config, server.address, secrets)
    return await work({ admin, backing, signal: cli.signal })
  } finally {
    await admin.close()
    await server.close()
  }
}
