/** What a deployment's backups are made of and for: where its data is, who reads it, who can open it. */
import type { Config } from "../config.ts"
import type { Address, Credentials, Login } from "../db/connection.ts"
import { credentials } from "../db/connection.ts"
import type { SecretStore } from "../secrets/store.ts"
import type { Secrets } from "./frames.ts"
import { readSecrets } from "./secrets.ts"

/** Where the data is, and who reads it. */
export interface Source {
  readonly address: Address
  /** zt_backup. */
  readonly reader: Credentials
  /** zt_migrate, which counts. */
  readonly counter: Credentials
}

/** Plain data: a worker thread can be given it. */
export interface Backing {
  readonly source: Source
  /** `AGE-SECRET-KEY-1…`, which also signs. */
  readonly identity: string
  /** `age1…`: the identity's, and further ones. */
  readonly recipients: readonly string[]
  readonly secrets: Secrets
}

/** @throws Problem `DATA_FOLDER` or `DATABASE` where the data folder lacks a secret. */
export async function readBacking(
  { backupRecipients }: Pick<Config, "backupRecipients">,
  address: Address,
  store: SecretStore,
): Promise<Backing> {
  const [source, identity, recipient, secrets] = await Promise.all([
    readSource(address, store),
    store.identity(),
    store.recipient(),
    readSecrets(store),
  ])
  return { source, identity, recipients: [recipient, ...backupRecipients], secrets }
}

/** @throws Problem `DATABASE` where the data folder lacks a password. */
export async function readSource(address: Address, store: SecretStore): Promise<Source> {
  const [reader, counter] = await Promise.all([
    plainLogin(store, "zt_backup"),
    plainLogin(store, "zt_migrate"),
  ])
  return { address, reader, counter }
}

/** As the store knows it now, the passwords of a rotation under way included. */
async function plainLogin(store: SecretStore, role: Login): Promise<Credentials> {
  const [{ user, password }, generations] = await Promise.all([
    credentials(store, role),
    store.generations(`${role}-password`),
  ])
  return { user, password, passwords: generations.map(({ value }) => value) }
}
