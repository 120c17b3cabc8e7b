/**
 * I3: by its time, no answer tells whether another tenant has what is asked for.
 *
 * Each comparison is one that first finds a millisecond planted in the same requests.
 */
import assert from "node:assert/strict"
import { randomUUID } from "node:crypto"
import { after, before, describe, it } from "node:test"
import { Analyst } from "../../src/analyses/analyst.ts"
import { newSeed, saveTenantSeed } from "../../src/db/tenant-seed.ts"
import { judge } from "../../src/engine/judge.ts"
import { normalizeName } from "../../src/engine/name.ts"
import { sandboxObservation } from "../../src/engine/sandbox.ts"
import { generateKey, lookupIndex } from "../../src/keys/format.ts"
import { Keyring } from "../../src/secrets/keyring.ts"
import { memorySecrets } from "../memory-secrets.ts"
import type { TestDatabase } from "../postgres.ts"
import { createDatabase } from "../postgres.ts"
import type { Deployment } from "./deployment.ts"
import { startDeployment } from "./deployment.ts"
import { compareDurations } from "./durations.ts"
import { keyWith } from "./forged-key.ts"
import { seeded } from "./random.ts"
import { ALICE, BOB } from "./tenants.ts"

const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31))
const PLANTED_MS = 1
/** Looks that a busy machine may need to see a millisecond. */
const MAX_LOOKS = 5
const MIN_LOOKS = 2

type Ask = (run: number) => Promise<unknown>

interface Prepared {
  /** Done before each ask, and not timed. */
  prepare(run: number): Promise<unknown>
  readonly ask: Ask
}

/** @returns Measures; the planted time is a busy wait, so that it is what it says. */
function timed(what: Ask | Prepared, from = 0, plantedMs = 0): (run: number) => Promise<number> {
  const { prepare, ask } =
    typeof what === "function" ? { prepare: async () => {}, ask: what } : what
  return async (run) => {
    await prepare(from + run)
    const start = performance.now()
    await ask(from + run)
    const end = performance.now() + plantedMs
    while (performance.now() < end);
    return performance.now() - start
  }
}

/** Finds the planted millisecond, and with as many looks nothing where none was planted. */
async function assertAlike(bobs: Ask | Prepared, nobodys: Ask | Prepared): Promise<void> {
  const random = seeded(SEED)
  const planted = await compareDurations(
    timed(nobodys, 1e6, PLANTED_MS),
    timed(nobodys, 2e6),
    random,
    MAX_LOOKS,
  )
  assert.ok(planted.differ && planted.z > 0, `a planted millisecond: ${JSON.stringify(planted)}`)
  const looks = Math.max(planted.looks, MIN_LOOKS)
  const found = await compareDurations(timed(bobs), timed(nobodys), random, looks)
  assert.ok(!found.differ, JSON.stringify(found))
}

describe(`the time of an answer, SEED=${SEED}`, () => {
  let deployment: Deployment
  before(async () => {
    deployment = await startDeployment()
  })
  after(() => deployment.close())

  it("says not whether a key begins like one of Bob's", async () => {
    const index8 = lookupIndex(await deployment.issue("bob", "test"))
    const ask = async (key: string) => {
      assert.equal((await deployment.program.ask("/v1/usage", { key })).status, 401)
    }
    await assertAlike(
      () => ask(keyWith("test", index8)),
      () => ask(generateKey("test")),
    )
  })
})

describe(`the time of a look into the database, SEED=${SEED}`, () => {
  let db: TestDatabase
  before(async () => {
    db = await createDatabase()
    await db.asSuperuser(async (client) => {
      await client.query(
        `insert into platform.tenant (id, name_index, sealed_name)
          select id, uuid_send(id), '' from unnest($1::uuid[]) id`,
        [[ALICE, BOB]],
      )
      // As many as would be felt if they were looked at.
      await client.query(
        `insert into live.analysis (tenant_id, id, domain_index, observed_at, expires_at, sealed)
          select $1, gen_random_uuid(), substr(sha256((n % 20)::text::bytea), 1, 16), now(), now(), ''
          from generate_series(1, 20000) n`,
        [BOB],
      )
      await client.query("analyze live.analysis")
    })
  })
  after(() => db.drop())

  it("says not whether Bob asked for a domain before", async () => {
    const keyring = await Keyring.open(memorySecrets())
    await db.admin.asOperator(async (tx) => {
      for (const tenant of [ALICE, BOB]) await saveTenantSeed(tx, tenant, newSeed())
    })
    const analyst = new Analyst({
      database: db.database,
      keyring,
      observe: {
        live: () => Promise.reject(new Error("no visit")),
        test: async (name) => sandboxObservation(name, new Date()),
      },
      judge,
      now: Date.now,
      concurrency: 1,
      perMinute: 1,
    })
    const ask = async (tenantId: string, domain: string) => {
      const { hit } = await analyst.analyze(
        { environment: "test", tenantId },
        normalizeName(domain),
        false,
      )
      assert.equal(hit, false)
    }
    const bobs = (run: number) => `bob${run}.example`
    await assertAlike(
      { prepare: (run) => ask(BOB, bobs(run)), ask: (run) => ask(ALICE, bobs(run)) },
      {
        prepare: (run) => ask(BOB, `b${run}.example`),
        ask: (run) => ask(ALICE, `nob${run}.example`),
      },
    )
  })

  const count = (domain: string) =>
    db.database.asTenant("live", ALICE, (tx) =>
      tx.query(
        "select count(*) from live.analysis where domain_index = substr(sha256($1::text::bytea), 1, 16)",
        [domain],
      ),
    )
  const bobs: Ask = (run) => count(String(run % 20))
  const nobodys: Ask = () => count(randomUUID())

  it("says not whether Bob has rows of a domain's index", () => assertAlike(bobs, nobodys))

  it("would say it, without row security", async () => {
    await db.asSuperuser((client) =>
      client.query("alter table live.analysis disable row level security"),
    )
    const found = await compareDurations(timed(bobs), timed(nobodys), seeded(SEED), MAX_LOOKS)
    assert.ok(found.differ && found.z > 0, JSON.stringify(found))
  })
})
