/**
 * A new password for a role that logs in, while others are logged in with it.
 *
 * Invariant: at every moment, and wherever this is interrupted, the store has the password that
 * the server takes.
 */
import type { SecretName, SecretStore } from "../secrets/store.ts"
import type { Address, Credentials } from "./connection.ts"
import { runStatement, withClient } from "./connection.ts"
import { randomPassword, scramVerifier } from "./password.ts"

/**
 * @param login - The role's own, from the store: a role may change its own password.
 * @returns The new generation's number.
 * @throws Problem of the login or the store; the old password is good then.
 */
export async function rotatePassword(
  address: Address,
  login: Credentials,
  secrets: SecretStore,
  name: SecretName,
): Promise<number> {
  const password = randomPassword()
  const number = await secrets.rotate(name, password)
  await withClient(address, login, async (client) => {
    const role = client.escapeIdentifier(login.user)
    const verifier = client.escapeLiteral(scramVerifier(password))
    await runStatement(client, "begin read write") // zt_backup's are read-only by default
    await runStatement(client, `alter role ${role} password ${verifier}`)
    await runStatement(client, "commit")
  })
  for (const older of await secrets.generations(name)) {
    if (older.number < number) await secrets.retire(name, older.number)
  }
  return number
}
