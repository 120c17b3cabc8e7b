/** Work of commands as an operator, on the database itself, server or not. */
import type { AdminDatabase, Tx } from "../db/database.ts"
import type { Keyring } from "../secrets/keyring.ts"
import type { Cli } from "./cli.ts"

/** One transaction as zt_operator, with the keys of what is sealed. @throws Problem */
export function asOperator<T>(
  cli: Cli,
  work: (tx: Tx, keyring: Keyring) => Promise<T>,
): Promise<T> {
  return withAdmin(cli, (admin, keyring) => admin.asOperator((tx) => work(tx, keyring)))
}

/** For more than one transaction. @throws Problem */
export async function withAdmin<T>(
  cli: Cli,
  work: (admin: AdminDatabase, keyring: Keyring) => Promise<T>,
): Promise<T> {
  const [{ openDeployment }, { openSecrets }, { Keyring }] = await Promise.all([
    import("../db/server.ts"),
    import("./open-secrets.ts"),
    import("../secrets/keyring.ts"),
  ])
  const secrets = openSecrets(cli.config, cli.signal)
  const server = await openDeployment(cli.config, secrets)
  const admin = server.admin()
  try {
    return await work(admin, await Keyring.open(secrets))
  } finally {
    await admin.close()
    await server.close()
  }
}
