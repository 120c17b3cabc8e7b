/** A secret store in memory, for tests that need keys and no files. */
import type { Secrets } from "../src/secrets/document.ts"
import { nextGeneration, withGeneration, withGenerations } from "../src/secrets/document.ts"
import type { SecretStore } from "../src/secrets/store.ts"

export function memorySecrets(): SecretStore {
  let secrets: Secrets = new Map()
  const listeners = new Set<() => void>()
  const change = (after: Secrets) => {
    secrets = after
    for (const listener of listeners) listener()
  }
  const all = (name: string) => secrets.get(name) ?? []
  return {
    get: async (name) => all(name)[0]?.value,
    async getOrCreate(name, make) {
      const made = all(name)[0]?.value ?? (await make())
      if (all(name).length === 0) change(withGeneration(secrets, name, made))
      return all(name)[0]?.value ?? made
    },
    async set(name, value) {
      change(withGenerations(secrets, name, [nextGeneration(all(name), value)]))
    },
    generations: async (name) => all(name),
    async rotate(name, value) {
      change(withGeneration(secrets, name, value))
      return all(name)[0]?.number ?? 0
    },
    async retire(name, number) {
      change(
        withGenerations(
          secrets,
          name,
          all(name).filter((one) => one.number !== number),
        ),
      )
    },
    async restore(name, generations) {
      change(withGenerations(secrets, name, generations))
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    recipient: async () => "",
    identity: async () => "",
  }
}
