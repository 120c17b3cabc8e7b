/** A secret store in memory, for tests that need keys and no files. */
import type { SecretName, SecretStore } from "../src/secrets/store.ts"

export function memorySecrets(): SecretStore {
  const values = new Map<SecretName, string>()
  return {
    get: async (name) => values.get(name),
    async getOrCreate(name, make) {
      const value = values.get(name) ?? (await make())
      values.set(name, value)
      return value
    },
    async set(name, value) {
      values.set(name, value)
    },
    async generations(name) {
      const value = values.get(name)
      return value === undefined ? [] : [{ number: 1, value }]
    },
  }
}
