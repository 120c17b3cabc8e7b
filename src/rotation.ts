/**
 * What a running server does when its secrets change: it takes up new generations without a
 * restart, and without an answer that fails.
 *
 * Not: passwords of database roles, which are found out at the next login (db/passwords.ts).
 */
import type { Attestor } from "./engine/attestation.ts"
import { createAttestor, generateVerdictKey } from "./engine/attestation.ts"
import { inUse } from "./secrets/overlap.ts"
import type { SecretStore } from "./secrets/store.ts"

/** A verdict is good for a day at most; clocks differ. */
export const VERDICT_LIFE_MS = 25 * 3_600_000

/** Signs with the verdict key that is in use at that moment. */
export interface RotatingAttestor extends Attestor {
  /** Looks at the store again. */
  reload(): Promise<void>
  close(): void
}

/** Makes a key when there is none. @throws Problem `DATA_FOLDER` */
export async function openAttestor(secrets: SecretStore): Promise<RotatingAttestor> {
  let timer: NodeJS.Timeout | undefined
  const choose = async () => {
    const now = Date.now()
    const choice = inUse(await secrets.generations("verdict-key"), VERDICT_LIFE_MS, now)
    clearTimeout(timer)
    if (choice.changesAt !== undefined) {
      timer = setTimeout(() => void reload().catch(() => {}), choice.changesAt - now).unref()
    }
    return createAttestor(
      choice.signs.value,
      choice.others.map(({ value }) => value),
    )
  }
  await secrets.getOrCreate("verdict-key", generateVerdictKey)
  let current = await choose()
  async function reload() {
    current = await choose()
  }
  return {
    get jwks() {
      return current.jwks
    },
    sign: (attested) => current.sign(attested),
    reload,
    close: () => clearTimeout(timer),
  }
}

/** Has each of them look again whenever the store changes. @returns Stops that. */
export function followSecrets(
  secrets: SecretStore,
  reloads: readonly (() => Promise<unknown>)[],
  warn: (message: string) => void,
): () => void {
  return secrets.onChange(() => {
    for (const reload of reloads) {
      reload().catch((error: Error) =>
        warn(`Secrets changed, and cannot be used: ${error.message}`),
      )
    }
  })
}
