/** The secrets that a backup holds: what rows are sealed and verdicts signed with. No passwords. */
import type { SecretName, SecretStore } from "../secrets/store.ts"
import type { Secrets } from "./frames.ts"

const BACKED_UP = ["root-key", "verdict-key", "authority-key"] as const satisfies SecretName[]

export async function readSecrets(store: SecretStore): Promise<Secrets> {
  const secrets: Secrets = {}
  for (const name of BACKED_UP) {
    const generations = await store.generations(name)
    if (generations.length === 0) continue
    secrets[name] = generations.map(({ number, value, createdAt }) => ({
      number,
      value,
      createdAt: createdAt.toISOString(),
    }))
  }
  return secrets
}

/** Puts a backup's secrets into a store, their generations as they were. */
export async function restoreSecrets(store: SecretStore, secrets: Secrets): Promise<void> {
  for (const name of BACKED_UP) {
    const generations = secrets[name]
    if (generations === undefined) continue
    await store.restore(
      name,
      generations.map(({ createdAt, ...one }) => ({ ...one, createdAt: new Date(createdAt) })),
    )
  }
}
