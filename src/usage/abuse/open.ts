/** All that watches for abuse in a running server, put together. */
import type { Environment } from "../../db/database.ts"
import { SCHEMAS } from "../../db/database.ts"
import type { Keyring } from "../../secrets/keyring.ts"
import { Networks } from "./networks.ts"
import type { WatcherOptions } from "./watcher.ts"
import { Watcher } from "./watcher.ts"

/** What the hash of networks is keyed by, besides the day's salt. */
const NETWORKS = "abuse.network"

export interface Abuse {
  readonly networks: Readonly<Record<Environment, Networks>>
  readonly watcher: Watcher
  start(): void
  /** The database is still open. */
  close(): Promise<void>
}

export function openAbuse(options: WatcherOptions & { readonly keyring: Keyring }): Abuse {
  const { database, keyring, now, everySeconds } = options
  const open = (environment: Environment) =>
    new Networks({
      database,
      schema: SCHEMAS[environment],
      secretOf: (salt) =>
        keyring.deployment.indexes(NETWORKS, salt.toString("hex"))[0].toString("hex"),
      now,
      everySeconds,
    })
  const networks = { live: open("live"), test: open("test") }
  const watcher = new Watcher(options)
  const all = [networks.live, networks.test, watcher]
  return {
    networks,
    watcher,
    start() {
      for (const one of all) one.start()
    },
    async close() {
      await Promise.all(all.map((one) => one.close()))
    },
  }
}
