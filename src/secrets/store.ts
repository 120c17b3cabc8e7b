/**
 * The program's own secrets: the root of all keys that seal rows, role passwords, the
 * superuser's, the local authority's key and the one that signs verdicts.
 *
 * Owns: the names and the interface. Where they lie is the implementation's (files.ts).
 * Invariant: everybody who asks for a name gets the same value, also while racing to make it.
 */

/** The closed list of names. */
export const SECRET_NAMES = [
  "root-key",
  "superuser-password",
  "zt_migrate-password",
  "zt_runtime-password",
  "zt_admin-password",
  "zt_backup-password",
  "authority-key",
  "leaf-key",
  "verdict-key",
] as const

export type SecretName = (typeof SECRET_NAMES)[number]

/** One of a secret's values. The newest is the one in use; older ones still open what they made. */
export interface Generation {
  /** 1 to 65,535; counts up, and is never used again. */
  readonly number: number
  readonly value: string
  readonly createdAt: Date
}

/** Every method throws Problem `DATA_FOLDER` where the store cannot be opened; nothing is changed then. */
export interface SecretStore {
  /** The current generation's value. */
  get(name: SecretName): Promise<string | undefined>
  /** @param make - Called when there is none; when two race, one value wins and both get it. */
  getOrCreate(name: SecretName, make: () => string | Promise<string>): Promise<string>
  /** Replaces all generations by one. */
  set(name: SecretName, value: string): Promise<void>
  /** Newest first; empty when there is none. */
  generations(name: SecretName): Promise<readonly Generation[]>
  /** Adds a generation and keeps the older. @returns Its number. */
  rotate(name: SecretName, value: string): Promise<number>
  /** Forgets an older generation. @throws RangeError for the newest. */
  retire(name: SecretName, number: number): Promise<void>
  /** Replaces all generations by these, numbers and times included, as a restore does. */
  restore(name: SecretName, generations: readonly Generation[]): Promise<void>
  /** Tells of every change, by whichever program, within about a second. @returns Stops that. */
  onChange(listener: () => void): () => void
  /** `age1…`, to which the store is encrypted. */
  recipient(): Promise<string>
  /** `AGE-SECRET-KEY-1…`, which opens it. */
  identity(): Promise<string>
}
