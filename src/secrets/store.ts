/**
 * The program's own secrets: role passwords, the superuser's, the local authority's key
 * and the one that signs verdicts.
 *
 * Owns: the names and the interface. Where they lie is the implementation's (files.ts).
 * Invariant: everybody who asks for a name gets the same value, also while racing to make it.
 */

/** The closed list of names. */
export const SECRET_NAMES = [
  "superuser-password",
  "zt_migrate-password",
  "zt_runtime-password",
  "zt_admin-password",
  "zt_backup-password",
  "authority-key",
  "verdict-key",
  "root-key",
] as const

export type SecretName = (typeof SECRET_NAMES)[number]

/** One value of a secret that has been rotated; older ones stay while something needs them. */
export interface Generation {
  /** From 1, never used again. */
  readonly number: number
  readonly value: string
}

export interface SecretStore {
  get(name: SecretName): Promise<string | undefined>
  /** @param make - Called when there is none; when two race, one value wins and both get it. */
  getOrCreate(name: SecretName, make: () => string | Promise<string>): Promise<string>
  set(name: SecretName, value: string): Promise<void>
  /** The newest first; none when there is no such secret. */
  generations(name: SecretName): Promise<readonly Generation[]>
}
