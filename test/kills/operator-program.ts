/**
 * Acts as an operator without end, for tests that kill it: issues keys, revokes every other one,
 * sets a secret. `node operator-program.ts DATA_DIR FIRST_SECRET`.
 *
 * Writes one JSON document a line, each after its commit: `{"ready":true}`, `{"issued":ID}`,
 * `{"revoked":ID}`, `{"secret":N}`.
 */
import { writeSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { readConfig } from "../../src/config.ts"
import { Problem } from "../../src/core/problem.ts"
import { openServer } from "../../src/db/server.ts"
import { issueKey } from "../../src/keys/keys.ts"
import { operator, revokeKey } from "../../src/keys/life.ts"
import { fileSecrets } from "../../src/secrets/files.ts"
import { Keyring } from "../../src/secrets/keyring.ts"
import { COUNTED_SECRET } from "./ledger.ts"

/** Leaves the processor to those who restart. */
const PAUSE_MS = 15

/** Encrypting the store takes some milliseconds of the processor. */
const SECRET_EVERY = 4

const [dataDir = "", firstSecret] = process.argv.slice(2)
const secrets = fileSecrets(dataDir)
const server = await openServer(readConfig({ ZT_DATA_DIR: dataDir }), secrets)
const keyring = await Keyring.open(secrets)
const admin = server.admin()
say({ ready: true })
for (let n = Number(firstSecret); ; n++) {
  try {
    const { id } = await admin.asOperator((tx) =>
      issueKey(tx, keyring, {
        tenant: "default",
        environment: "test",
        name: `key ${n}`,
        actor: "test",
      }),
    )
    say({ issued: id })
    if (n % 2 === 0) {
      await admin.asOperator((tx) => revokeKey(tx, operator("test"), id))
      say({ revoked: id })
    }
    if (n % SECRET_EVERY === 0) {
      await secrets.set(COUNTED_SECRET, `${n} ${"x".repeat(500)}`)
      say({ secret: n })
    }
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "UNAVAILABLE") throw error
  }
  await sleep(PAUSE_MS)
}

/** At once: what waited in this process would go with it. */
function say(document: object): void {
  writeSync(1, `${JSON.stringify(document)}\n`)
}
