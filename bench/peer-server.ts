/**
 * What a TypeScript developer would take: better-auth's api-key plugin, over plain HTTP. Started by
 * peers.ts, which writes the settings as a JSON line on standard input, and ends it by closing that.
 *
 * As its documentation says: PostgreSQL by a `pg` pool, tables by its own migrations, `verifyApiKey` for
 * each request, with the key's rate limit and remaining count. Besides, its memory adapter in place of
 * the database; and a map in this process as its secondary storage, which is as fast as any can be, and
 * gone with it. Logs and telemetry are off. What verifies is answered with the same bytes as ours.
 */
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createInterface } from "node:readline"
import { apiKey } from "@better-auth/api-key"
import { betterAuth } from "better-auth"
import { memoryAdapter } from "better-auth/adapters/memory"
import { getMigrations } from "better-auth/db/migration"
import pg from "pg"

export type Store = "PostgreSQL" | "its memory adapter" | "a map in memory"

export interface PeerSettings {
  readonly store: Store
  readonly database: pg.PoolConfig
  /** To be measured with, each of them good for so many uses. */
  readonly keys: number
  readonly uses: number
  /** Keys that are there besides. */
  readonly others: number
  /** Of its answer. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What it writes as a JSON line when it listens. */
export interface PeerReady {
  readonly port: number
  readonly keys: readonly string[]
  /** May be used three times. */
  readonly spent: string
  /** May be used three times an hour. */
  readonly paced: string
}

/** What `/look` says of the key that is sent with it. */
export interface PeerLook {
  readonly valid: boolean
  readonly code?: string
  readonly remaining?: number | null
}

const HOUR_MS = 3_600_000
const FEW = 3

const lines = createInterface({ input: process.stdin })
const [line] = await once(lines, "line")
const { store, database, keys, others, uses, headers, body }: PeerSettings = JSON.parse(line)

const tables = { user: [], session: [], account: [], verification: [], apikey: [] }
const map = new Map<string, string>()
const auth = betterAuth({
  baseURL: "http://localhost",
  secret: randomUUID() + randomUUID(),
  database: store === "its memory adapter" ? memoryAdapter(tables) : new pg.Pool(database),
  logger: { disabled: true },
  telemetry: { enabled: false },
  plugins: [
    apiKey({
      rateLimit: { enabled: true, timeWindow: HOUR_MS, maxRequests: uses },
      ...(store === "a map in memory" && {
        storage: "secondary-storage",
        customStorage: storage(),
      }),
    }),
  ],
})
if (store !== "its memory adapter") {
  const { runMigrations } = await getMigrations(auth.options, {})
  await runMigrations()
}

const { internalAdapter } = await auth.$context
const user = await internalAdapter.createUser(
  { name: "Bench", email: "bench@example.test" },
  { method: "bench" },
)
const create = async (remaining: number, rateLimitMax: number) =>
  (await auth.api.createApiKey({ body: { userId: user.id, remaining, rateLimitMax } })).key

for (let n = 0; n < others; n++) await create(uses, uses)

const server = createServer(async (request, response) => {
  const key = String(request.headers["x-api-key"])
  const { valid, error, key: row } = await auth.api.verifyApiKey({ body: { key } })
  if (request.url === "/look") {
    const look = { valid, code: error?.code as string | undefined, remaining: row?.remaining }
    response.end(JSON.stringify(look))
    return
  }
  response.writeHead(valid ? 200 : 401, headers)
  response.end(body)
})
await once(server.listen(0, "127.0.0.1"), "listening")
const ready: PeerReady = {
  port: (server.address() as AddressInfo).port,
  keys: await Promise.all(Array.from({ length: keys }, () => create(uses, uses))),
  spent: await create(FEW, uses),
  paced: await create(uses, FEW),
}
console.log(JSON.stringify(ready))
lines.on("close", () => process.exit())

/** What a secondary storage must have; of it, the plugin reads, writes and deletes. */
function storage() {
  const take = (key: string) => {
    const value = map.get(key) ?? null
    map.delete(key)
    return value
  }
  return {
    get: (key: string) => map.get(key) ?? null,
    set: (key: string, value: string) => void map.set(key, value),
    delete: (key: string) => void map.delete(key),
    getAndDelete: take,
    increment: (key: string) => {
      const value = Number(map.get(key) ?? 0) + 1
      map.set(key, String(value))
      return value
    },
  }
}
