/**
 * R1: SIGKILL while the cluster is made, the roles, the tables: the next start makes what is
 * missing, once, and what was shown is good.
 */
import assert from "node:assert/strict"
import { globSync } from "node:fs"
import { describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import type pg from "pg"
import { EMBEDDED_DATABASE } from "../../src/db/setup.ts"
import { Deployment } from "./deployment.ts"
import { asSuperuser, killDatabase } from "./kinds.ts"
import { Ledger } from "./ledger.ts"
import { seeded } from "./random.ts"

const random = seeded()
/** How long they take, about. */
const FIRST_START_MS = 1_500
const MIGRATION_MS = 700

interface Keys {
  readonly live: string
  readonly test: string
}

/** @returns The first keys, of each start that came so far as to show them. */
async function killRepeatedly(deployment: Deployment, kills: number, spanMs: number) {
  const shown: Keys[] = []
  for (let n = 0; n < kills; n++) {
    const { ready } = deployment.start("program")
    ready.then(
      (line) => void shown.push(...[JSON.parse(line).keys ?? []].flat()),
      () => {},
    )
    await sleep(random.next() * spanMs)
    const killed = deployment.kill("program")
    if (random.next() < 0.5) killDatabase(deployment)
    await killed
  }
  const { keys } = JSON.parse(await deployment.begun("program"))
  if (keys !== undefined) shown.push(keys)
  return shown
}

async function isWhole(deployment: Deployment, shown: readonly Keys[]): Promise<void> {
  const [state] = await asSuperuser(deployment.dataDir, async (client) => {
    const { rows } = await client.query(STATE)
    return rows
  })
  const migrations = globSync("src/db/migrations/*.sql").length
  assert.deepEqual(state, { migrations, twice: 0, tenants: 1, live: 1, test: 1, issued: 2 })
  assert.deepEqual(globSync("postgres/new-*", { cwd: deployment.dataDir }), [])
  assert.ok(shown.length <= 1, "keys are shown once")
  for (const { live, test } of shown) {
    for (const key of [live, test]) assert.equal(await deployment.status("/v1/usage", key), 200)
  }
}

/** Back to a cluster that was made and nothing more: as a first start has it, but sooner. */
async function forget(client: pg.Client): Promise<void> {
  await client.query(`drop database ${EMBEDDED_DATABASE} with (force)`)
  await client.query(`do $$ declare role name; begin
    for role in select rolname from pg_roles where rolname like 'zt\\_%' loop
      execute format('drop role %I', role);
    end loop; end $$`)
}

const STATE = `select
  (select count(*)::int from platform.migration) as migrations,
  (select count(*)::int from (select subject from audit.entry where action = 'database.migrated'
    group by subject having count(*) > 1) s) as twice,
  (select count(*)::int from platform.tenant) as tenants,
  (select count(*)::int from live.api_key) as live,
  (select count(*)::int from sandbox.api_key) as test,
  (select count(*)::int from audit.entry where action = 'key.issued') as issued`

describe("R1: SIGKILL during a first start", () => {
  for (const [folders, kills] of [
    [3, 2],
    [1, 8],
  ] as const) {
    it(`${kills} times in a row, in ${folders} folders (TEST_SEED=${random.seed})`, async () => {
      for (let n = 0; n < folders; n++) {
        const deployment = new Deployment(new Ledger())
        try {
          await isWhole(deployment, await killRepeatedly(deployment, kills, FIRST_START_MS))
        } finally {
          await deployment.end()
        }
      }
    })
  }

  it(`while roles and tables are made (TEST_SEED=${random.seed})`, async () => {
    const deployment = new Deployment(new Ledger())
    try {
      await deployment.begun("program")
      for (let n = 0; n < 5; n++) {
        await deployment.kill("program")
        await asSuperuser(deployment.dataDir, forget, "postgres")
        await isWhole(deployment, await killRepeatedly(deployment, 5, MIGRATION_MS))
      }
    } finally {
      await deployment.end()
    }
  })
})
