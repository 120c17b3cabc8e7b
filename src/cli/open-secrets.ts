/** The secret store of a configuration, for every command that needs it. */
import type { Config } from "../config.ts"
import { fileSecrets } from "../secrets/files.ts"
import type { IdentitySource } from "../secrets/identity.ts"
import type { SecretStore } from "../secrets/store.ts"
import { canAsk, readHidden } from "./hidden-input.ts"

/** The file is read when it is first asked; a passphrase is, on a terminal, when none is set. */
export function openSecrets(config: Config, signal?: AbortSignal): SecretStore {
  return fileSecrets(config.dataDir, identitySource(config, signal))
}

/** Where the identity comes from. */
export function identitySource(config: Config, signal?: AbortSignal): IdentitySource {
  const { identityFile, credentialsDirectory, passphrase } = config
  const ask = async () =>
    canAsk() && signal !== undefined
      ? readHidden({ signal }, "Passphrase of the identity: ")
      : undefined
  return { identityFile, credentialsDirectory, passphrase: async () => passphrase ?? ask() }
}
