/**
 * `zygentrust secrets reseal`: after a rotation of the root key, every row is sealed with the new
 * one, in batches, while the server serves; then what no row needs is forgotten.
 *
 * Invariant: a generation is forgotten only when no row needs it and every instance has had the
 * time to take up the newest, so that none seals with an old one any more.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { SEALED_ANALYSES } from "../analyses/store.ts"
import { credentials, runStatement, withClient } from "../db/connection.ts"
import type { Tx } from "../db/database.ts"
import type { Position, SealedTable } from "../db/reseal.ts"
import { generationsOf, resealBatch, START } from "../db/reseal.ts"
import type { Server } from "../db/server.ts"
import { openDeployment } from "../db/server.ts"
import { SEALED_CONTACTS } from "../events/contact.ts"
import { SEALED_REQUESTS } from "../keys/request.ts"
import { SEALED_KEYS } from "../keys/row.ts"
import { SEALED_TENANTS } from "../keys/tenants.ts"
import { Keyring } from "../secrets/keyring.ts"
import type { SecretStore } from "../secrets/store.ts"
import type { Cli } from "./cli.ts"
import { openSecrets } from "./open-secrets.ts"
import { recordedOn } from "./secrets-record.ts"

const TABLES: readonly SealedTable[] = [
  SEALED_TENANTS,
  SEALED_REQUESTS,
  SEALED_CONTACTS,
  ...SEALED_KEYS,
  ...SEALED_ANALYSES,
]
const BATCH_ROWS = 500
/** Instances look at the store every second. */
const TAKEN_UP_MS = 60_000
const SAY_MS = 2_000

export interface Resealed {
  readonly rows: number
  /** Numbers of the generations that were forgotten. */
  readonly retired: readonly number[]
}

/** @throws Problem, or the signal's reason; what is done is done, and the next run goes on. */
export async function resealAll(cli: Cli): Promise<Resealed> {
  const secrets = openSecrets(cli.config, cli.signal)
  const server = await openDeployment(cli.config, secrets)
  try {
    const keyring = await Keyring.open(secrets)
    const login = await credentials(secrets, "zt_migrate")
    return await withClient(server.address, login, async (client) => {
      const tx: Tx = {
        query: async <Row extends object>(text: string, values?: readonly unknown[]) =>
          (await runStatement<Row>(client, text, values)).rows,
      }
      let rows = await walk(cli, tx, keyring)
      const older = (await secrets.generations("root-key")).slice(1)
      if (older.length === 0) return { rows, retired: [] }
      await waitUntilTakenUp(cli, secrets)
      rows += await walk(cli, tx, keyring) // what instances sealed before they had
      return { rows, retired: await retire(server, secrets, tx) }
    })
  } finally {
    await server.close()
  }
}

/** @returns How many rows an older generation had sealed. */
async function walk(cli: Cli, tx: Tx, keyring: Keyring): Promise<number> {
  let rows = 0
  let said = performance.now()
  for (const table of TABLES) {
    for (let at: Position | undefined = START; at !== undefined; ) {
      cli.signal.throwIfAborted()
      const { count, next } = await batch(tx, keyring, table, at)
      rows += count
      at = next
      if (performance.now() - said < SAY_MS) continue
      said = performance.now()
      cli.err(`${rows} rows so far, now in ${table.table}…`)
    }
  }
  return rows
}

async function batch(tx: Tx, keyring: Keyring, table: SealedTable, at: Position) {
  await tx.query("begin")
  try {
    const done = await resealBatch(tx, keyring, table, at, BATCH_ROWS)
    await tx.query("commit")
    return done
  } catch (error) {
    await tx.query("rollback").catch(() => {})
    throw error
  }
}

async function waitUntilTakenUp(cli: Cli, secrets: SecretStore): Promise<void> {
  const [newest] = await secrets.generations("root-key")
  const waitMs = (newest?.createdAt.getTime() ?? 0) + TAKEN_UP_MS - Date.now()
  if (waitMs <= 0) return
  cli.err(
    `Rows are sealed with the new key. Waiting ${Math.ceil(waitMs / 1000)} s until every instance has it, before the old one is forgotten…`,
  )
  await sleep(waitMs, undefined, { signal: cli.signal }).catch(() => cli.signal.throwIfAborted())
}

async function retire(server: Server, secrets: SecretStore, tx: Tx): Promise<number[]> {
  const needed = new Set<number>()
  for (const table of TABLES) for (const one of await generationsOf(tx, table)) needed.add(one)
  const retired: number[] = []
  for (const { number } of (await secrets.generations("root-key")).slice(1)) {
    if (needed.has(number)) continue
    await recordedOn(server, { action: "secret.retired", subject: `root-key ${number}` }, () =>
      secrets.retire("root-key", number),
    )
    retired.push(number)
  }
  return retired
}
