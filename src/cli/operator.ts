/** Work of commands as an operator, on the database itself, server or not. */
import type { Tx } from "../db/database.ts"
import type { Keyring } from "../secrets/keyring.ts"
import type { Cli } from "./cli.ts"

/** One transaction as zt_operator, with the keys of what is sealed. @throws Problem */
export async function asOperator<T>(
  cli: Cli,
  work: (tx: Tx, keyring: Keyring) => Promise<T>,
): Promise<T> {
  const [{ openServer }, { openSecrets }, { Keyring }] = await Promise.all([
    import("../db/server.ts"),
    import("./open-secrets.ts"),
    import("../secrets/keyring.ts"),
  ])
  const secrets = openSecrets(cli.config, cli.signal)
  const server = await openServer(cli.config, secrets)
  const admin = server.admin()
  try {
    const keyring = await Keyring.open(secrets)
    return await admin.asOperator((tx) => work(tx, keyring))
  } finally {
    await admin.close()
    await server.close()
  }
}
