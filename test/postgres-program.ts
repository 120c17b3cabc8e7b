/**
 * A program that uses a data folder, for tests that kill it, starve it or run it as somebody else.
 *
 *     node postgres-program.ts DATA_DIR [PACKAGE]
 *
 * Writes one JSON document a line: `{"ready":…}`, then for each line on standard input: `write`
 * makes tenants until told otherwise and writes `{"kept":NAME}` for each once it is committed,
 * `count` writes `{"count":N}`. At the end of standard input it closes. A refused start is
 * `{"problem":CODE,"message":…}` and exit code 1.
 */
import { randomBytes, randomUUID } from "node:crypto"
import { createInterface } from "node:readline"
import { append } from "../src/audit/append.ts"
import { readConfig } from "../src/config.ts"
import { Problem } from "../src/core/problem.ts"
import type { AdminDatabase } from "../src/db/database.ts"
import { openServer } from "../src/db/server.ts"
import { fileSecrets } from "../src/secrets/files.ts"
import { insertTenant } from "./tenant.ts"

const [dataDir = "", embeddedPackage] = process.argv.slice(2)

try {
  const config = readConfig({ ZT_DATA_DIR: dataDir })
  const server = await openServer(
    config,
    fileSecrets(config.dataDir),
    embeddedPackage === undefined ? {} : { embeddedPackage },
  )
  say({ ready: server.version, migrated: server.migrated.length })
  const admin = server.admin()
  let writing: Promise<void> = Promise.resolve()
  let going = false
  for await (const line of createInterface(process.stdin)) {
    going = false
    await writing
    if (line === "write") {
      going = true
      writing = write(admin, () => going)
    }
    if (line === "count") say({ count: await count(admin) })
  }
  going = false
  await writing
  await server.close()
} catch (error) {
  if (!(error instanceof Problem)) throw error
  say({ problem: error.code, message: error.message })
  process.exitCode = 1
}

async function write(admin: AdminDatabase, going: () => boolean): Promise<void> {
  while (going()) {
    const name = randomUUID()
    try {
      await admin.asOperator(async (tx) => {
        await insertTenant(tx, name)
        // Some weight, so that a full disk is felt at once.
        const weight = randomBytes(16_384).toString("base64")
        const details = { weight }
        await append(tx, { actor: "test", action: "tenant.created", subject: name, details })
      })
      say({ kept: name })
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "UNAVAILABLE") throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

async function count(admin: AdminDatabase): Promise<number> {
  const [row] = await admin.asOperator((tx) =>
    tx.query<{ count: number }>("select count(*)::integer as count from platform.tenant"),
  )
  return row?.count ?? 0
}

function say(document: object): void {
  process.stdout.write(`${JSON.stringify(document)}\n`)
}
