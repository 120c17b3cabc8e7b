/**
 * I3: by its time, no answer tells whether another tenant has what is asked for.
 *
 * Each comparison is one that first finds a millisecond planted in the same requests.
 */
import assert from "node:assert/strict"
import { randomUUID } from "node:crypto"
import { after, before, describe, it } from "node:test"
import { Analyst } from "../../src/analyses/analyst.ts"
import type { Database, Tx } from "../../src/db/database.ts"
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
import { ALICE, BOB, NOBODY } from "./tenants.ts"

const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31))
const PLANTED_MS = 1
/** Looks that a busy machine may need to see a millisecond. */
const MAX_LOOKS = 5
const MIN_LOOKS = 2

/** Does it once; answers with milliseconds where it has measured them itself. */
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
    const own = await ask(from + run)
    if (typeof own === "number") return own + plantedMs
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

describe(`the time of a look into memory, SEED=${SEED}`, () => {
  it("says not whether Bob asked for a domain before", async () => {
    const tx = {
      query: async (text: string) =>
        text.includes("platform.tenant_key") ? [{ seed: Buffer.alloc(32) }] : [],
    }
    const analyst = new Analyst({
      database: { asTenant: (_, __, work) => work(tx as Tx) } as Database,
      keyring: await Keyring.open(memorySecrets()),
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
      const asker = { environment: "test", tenantId } as const
      assert.equal((await analyst.analyze(asker, normalizeName(domain), false)).hit, false)
    }
    let others = 0
    // Both ways Bob has asked for something, and then somebody else: the processor itself does for a
    // moment a little faster what it has just done.
    const bobAsks = async (domain: string) => {
      await ask(BOB, domain)
      for (let n = 0; n < 3; n++) await ask(NOBODY, `c${others++}.example`)
    }
    await assertAlike(
      {
        prepare: (run) => bobAsks(`b${run}.example`),
        ask: (run) => ask(ALICE, `b${run}.example`),
      },
      {
        prepare: (run) => bobAsks(`o${run}.example`),
        ask: (run) => ask(ALICE, `n${run}.example`),
      },
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
          select $1, gen_random_uuid(), substr(sha256((100000 + n)::text::bytea), 1, 16), now(), now(), ''
          from generate_series(1, 20000) n`,
        [BOB],
      )
      await client.query("analyze live.analysis")
    })
  })
  after(() => db.drop())

  /** The attacker's own clock, inside the statement: nothing but the look itself is in it. */
  const look = async (condition: string, value: string) => {
    const [row] = await db.database.asTenant<{ ms: number }[]>("live", ALICE, (tx) =>
      tx.query(
        `select (case when c.n >= 0 then extract(epoch from clock_timestamp() - started) * 1000 end)::float8 as ms
          from (select clock_timestamp() as started offset 0) s,
            lateral (select count(*) as n from live.analysis
              where ${condition} and started is not null offset 0) c`,
        [value],
      ),
    )
    return row?.ms ?? Number.NaN
  }
  const byDomain = (value: string) =>
    look("domain_index = substr(sha256($1::text::bytea), 1, 16)", value)
  const byTenant = (value: string) => look("tenant_id = $1::uuid", value)

  it("says not whether Bob has rows of a domain's index", () =>
    assertAlike(
      (run) => byDomain(String(100_001 + (run % 20_000))),
      (run) => byDomain(String(200_001 + (run % 20_000))), // of the same length: microseconds are seen
    ))

  it("says not whether there is a Bob at all", () =>
    assertAlike(
      () => byTenant(BOB),
      () => byTenant(randomUUID()),
    ))

  it("would say it, without row security", async () => {
    await db.asSuperuser((client) =>
      client.query("alter table live.analysis disable row level security"),
    )
    const found = await compareDurations(
      timed(() => byTenant(BOB)),
      timed(() => byTenant(randomUUID())),
      seeded(SEED),
      MAX_LOOKS,
    )
    assert.ok(found.differ && found.z > 0, JSON.stringify(found))
  })
})
