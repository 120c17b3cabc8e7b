/** The secret store of a configuration, for every command that needs it. */
import type { Config } from "../config.ts"
import { fileSecrets } from "../secrets/files.ts"
import type { SecretStore } from "../secrets/store.ts"

/** The file is read when it is first asked. */
export function openSecrets(config: Config): SecretStore {
  const { dataDir, identityFile, credentialsDirectory, passphrase } = config
  return fileSecrets(dataDir, {
    identityFile,
    credentialsDirectory,
    passphrase: async () => passphrase,
  })
}
