/** A deployment's own first keys, so that whoever starts it can ask at once. */
import type { AdminDatabase } from "../db/database.ts"
import type { Keyring } from "../secrets/keyring.ts"
import { commandActor, issueKey } from "./keys.ts"
import { ensureTenant } from "./tenants.ts"

const FIRST_TENANT = "default"

export interface FirstKeys {
  readonly test: string
  readonly live: string
}

/** @returns One test and one live key, when there was no tenant at all before. */
export function issueFirstKeys(
  admin: AdminDatabase,
  keyring: Keyring,
): Promise<FirstKeys | undefined> {
  return admin.asOperator(async (tx) => {
    const [first] = await tx.query("select from platform.tenant limit 1")
    if (first !== undefined) return undefined
    const actor = commandActor()
    // Of two programs that start at once, the one that makes the tenant issues the keys.
    const { made } = await ensureTenant(tx, keyring, FIRST_TENANT, actor)
    if (!made) return undefined
    const options = { tenant: FIRST_TENANT, name: "first", actor } as const
    const live = await issueKey(tx, keyring, { ...options, environment: "live" })
    const test = await issueKey(tx, keyring, { ...options, environment: "test" })
    return { test: test.key, live: live.key }
  })
}
