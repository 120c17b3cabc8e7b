/** Metrics against the rows that they are made of, on a real database. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { memorySecrets } from "../../test/memory-secrets.ts"
import type { TestDatabase } from "../../test/postgres.ts"
import { createDatabase } from "../../test/postgres.ts"
import { Admission } from "../admission/admission.ts"
import type { Arrival } from "../admission/batch.ts"
import { newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Database } from "../db/database.ts"
import { generateKey, readKey } from "../keys/format.ts"
import { issueKey } from "../keys/keys.ts"
import { Keyring } from "../secrets/keyring.ts"
import { Health } from "./health.ts"
import { Metrics } from "./metrics.ts"
import type { Family } from "./openmetrics.ts"
import { openMetrics } from "./openmetrics.ts"

const QUARTER_MS = 900_000
const STARTED = Date.now()
/** A minute after the quarter that this test runs in. */
const soon = () => (Math.floor(Date.now() / QUARTER_MS) + 1) * QUARTER_MS + 60_000
const missing =
  spawnSync("promtool", ["--version"]).error !== undefined &&
  "promtool is not installed, so its judgement is MISSING (Debian: apt install prometheus)"
if (missing) console.error(missing)

function samplesOf(families: readonly Family[], name: string) {
  const family = families.find((one) => one.name === name)
  assert.ok(family, name)
  return family.samples
}

for (const major of [18, 15] as const) {
  describe(`metrics on PostgreSQL ${major}`, () => {
    let db: TestDatabase
    let metrics: Metrics
    let families: Family[]
    let at: number
    before(async () => {
      db = await createDatabase(major)
      const leftMs = QUARTER_MS - (Date.now() % QUARTER_MS)
      if (leftMs < 10_000) await sleep(leftMs) // what follows must be in one quarter
      const keyring = await Keyring.open(memorySecrets())
      const admissions = {
        live: new Admission(db.database, "live"),
        test: new Admission(db.database, "test"),
      }
      const key = await db.admin.asOperator((tx) =>
        issueKey(tx, keyring, { tenant: "a", environment: "live", name: "k", actor: "test" }),
      )
      const ask = (text: string, more: Partial<Arrival>) =>
        new Promise<void>((resolve) => {
          const parts = readKey(text)
          assert.ok(parts)
          const requestId = newUuid()
          admissions[parts.environment].admit(
            { ...parts, requestId, route: 1, cost: 1, scope: 1, ...more },
            (result) => {
              assert.ok(!(result instanceof Problem) || result.code === "INVALID_KEY")
              resolve()
            },
          )
        })
      for (const [status, latencyBucket, route] of [
        [200, 0, 1],
        [200, 0, 1],
        [200, 5, 1],
        [400, 2, 1],
        [503, 13, 1],
        [200, 1, 2],
      ] as const) {
        await ask(key.key, { route, outcome: { status, latencyBucket, cacheHit: false } })
      }
      await ask(key.key, {}) // whose outcome never comes
      for (let n = 0; n < 4; n++) await ask(generateKey("live"), {})
      await ask(generateKey("test"), {})
      await Promise.all([admissions.live.close(), admissions.test.close()])
      const health = new Health(
        "1",
        { database: async () => ({ state: "degraded", message: "" }) },
        Date.now,
      )
      at = soon()
      const now = () => at
      metrics = new Metrics({
        database: db.database,
        admissions,
        floods: {
          strangers: { refused: 7 },
          connections: { refused: 3 },
          handshakes: { held: 5, refused: 2 },
        },
        health,
        version: "1.2.3",
        now,
      })
      families = (await metrics.read()).families
    })
    after(() => db.drop())
    const rows = (text: string) =>
      db.asSuperuser(async (client) => (await client.query({ text, rowMode: "array" })).rows)

    it("requests by route and class are those of the rows", async () => {
      const told = samplesOf(families, "zygentrust_requests_recent").map(({ labels, value }) => [
        labels["environment"],
        labels["route"],
        labels["status"],
        value,
      ])
      const recorded = await rows(
        `select 'live', case route when 1 then 'GET /v1/analyze' else 'GET /v1/usage' end,
            coalesce(status / 100 || 'xx', 'unknown'), count(*)::int
          from live.usage group by 2, 3`,
      )
      assert.equal(told.length, 5)
      assert.deepEqual(told.toSorted(), recorded.toSorted())
    })

    it("latency buckets are those of the rows, cumulative", async () => {
      const told = samplesOf(families, "zygentrust_request_duration_recent_seconds").filter(
        ({ labels }) => labels["route"] === "GET /v1/analyze",
      )
      const recorded = await rows(
        `select n, (select count(*)::int from live.usage where route = 1 and latency_bucket <= n)
          from generate_series(0, 13) n`,
      )
      assert.deepEqual(
        told.filter(({ suffix }) => suffix === "_bucket").map(({ value }, n) => [n, value]),
        recorded,
      )
      assert.equal(told.find(({ suffix }) => suffix === "_gcount")?.value, 5)
    })

    it("unknown keys are counted in the database, and leave no row", async () => {
      assert.deepEqual(
        samplesOf(families, "zygentrust_unknown_keys_recent").map(({ labels, value }) => [
          labels["environment"],
          value,
        ]),
        [
          ["live", 4],
          ["test", 1],
        ],
      )
      assert.deepEqual(
        await rows(
          "select count(*)::int, (select sum(requests)::int from live.unknown_key) from live.usage",
        ),
        [[7, 4]],
      )
    })

    it("tells how this instance's admission does, and what health says", () => {
      const count = (name: string, environment: string, suffix: string) =>
        samplesOf(families, name).find(
          ({ labels, suffix: own }) => labels["environment"] === environment && own === suffix,
        )?.value
      assert.equal(count("zygentrust_admission_batch_size", "live", "_sum"), 11)
      assert.equal(count("zygentrust_admission_batch_size", "live", "_count"), 11)
      assert.equal(count("zygentrust_admission_duration_seconds", "test", "_count"), 1)
      assert.equal(count("zygentrust_admission_failures", "live", "_total"), 0)
      for (const [name, values] of [
        ["zygentrust_strangers_over_limit", [7]],
        ["zygentrust_connections_dropped", [3, 2]],
        ["zygentrust_handshakes_held", [5]],
      ] as const) {
        const samples = samplesOf(families, name)
        assert.deepEqual(
          samples.map(({ value }) => value),
          values,
        )
      }
      assert.deepEqual(
        samplesOf(families, "zygentrust_component_state").map(({ labels, value }) => [
          labels["state"],
          value,
        ]),
        [
          ["ok", 0],
          ["degraded", 1],
          ["down", 0],
        ],
      )
    })

    it("is the same for a whole quarter, and other in the next", async () => {
      const same = await metrics.read()
      at += QUARTER_MS - 1 - (at % QUARTER_MS)
      assert.deepEqual(await metrics.read(), same)
      at += 60_001
      const next = await metrics.read()
      assert.equal(next.window?.since, same.window?.until)
      assert.deepEqual(samplesOf(next.families, "zygentrust_requests_recent"), [])
    })

    it("its role sees aggregates alone", async () => {
      for (const statement of [
        "select from live.usage",
        "select from platform.tenant",
        "select from live.api_key",
        "select live.retain('usage', 1)",
      ]) {
        await assert.rejects(
          db.database.asHealth((tx) => tx.query(statement)),
          { code: "42501" },
          statement,
        )
      }
    })

    it("Prometheus reads the text", { skip: missing }, () => {
      // It takes a whole file only with times; its parser is the one that scrapes.
      const text = openMetrics(families).replaceAll(/^([^#\n].*)$/gm, `$1 ${STARTED / 1000}`)
      const folder = mkdtempSync(join(tmpdir(), "zt-metrics-"))
      writeFileSync(join(folder, "metrics"), text)
      const { status, stdout, stderr } = spawnSync(
        "promtool",
        ["tsdb", "create-blocks-from", "openmetrics", join(folder, "metrics"), join(folder, "db")],
        { encoding: "utf8" },
      )
      assert.equal(status, 0, stderr + stdout)
      const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
      assert.ok(lines.length > 60)
      const broken = join(folder, "broken")
      writeFileSync(broken, text.replace("# EOF\n", ""))
      const refused = spawnSync("promtool", [
        ...["tsdb", "create-blocks-from", "openmetrics", broken, join(folder, "db")],
      ])
      assert.notEqual(refused.status, 0, "it would take anything")
      rmSync(folder, { recursive: true })
    })
  })
}

describe("metrics without the database", () => {
  it("say what health says, and nothing of the window", async () => {
    let asked = 0
    const database = {
      asHealth: async () => {
        asked++
        throw new Problem("UNAVAILABLE")
      },
    } as Pick<Database, "asHealth"> as Database
    const measured = () => assert.fail("nothing is measured then")
    const admissions = { live: { measured }, test: { measured } }
    const health = new Health("1", {}, () => 0)
    const metrics = new Metrics({
      database,
      admissions,
      floods: {
        strangers: { refused: 0 },
        connections: { refused: 0 },
        handshakes: { held: 0, refused: 0 },
      },
      health,
      version: "1",
      now: () => STARTED,
    })
    for (let n = 0; n < 3; n++) {
      const { window, families } = await metrics.read()
      assert.equal(window, undefined)
      assert.deepEqual(
        families.map(({ name }) => name),
        ["zygentrust_build", "zygentrust_component_state"],
      )
    }
    assert.equal(asked, 1, "and ask it no more often than every ten seconds")
  })
})
