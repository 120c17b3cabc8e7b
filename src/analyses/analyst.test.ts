import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { memorySecrets } from "../../test/memory-secrets.ts"
import { Problem } from "../core/problem.ts"
import type { Database, Environment } from "../db/database.ts"
import type { Name, Observation, Verdict } from "../engine/types.ts"
import { Keyring } from "../secrets/keyring.ts"
import { Analyst, hasTransientUnknown } from "./analyst.ts"

const DAY_MS = 86_400_000
const keyring = await Keyring.open(memorySecrets())
const name = (host: string, registrable = host, shared = false) =>
  ({ host, registrable, shared }) as Name
const observation = (host: string, tls: object = { value: {} }) =>
  ({
    name: name(host),
    observedAt: "2026-11-23T10:00:00.000Z",
    dns: {},
    http: {},
    tls,
    registration: { value: null },
  }) as unknown as Observation

/** Remembers rows by tenant, as the real tables under row security do. */
function world(visit = async (n: Name) => observation(n.host)) {
  const rows: { environment: Environment; tenantId: string; row: unknown[] }[] = []
  const visits: string[] = []
  let now = Date.parse("2026-11-23T10:00:00.000Z")
  const database = {
    asTenant: (environment: Environment, tenantId: string, work: (tx: unknown) => unknown) =>
      work({
        async query(text: string, values: unknown[]) {
          if (text.includes("platform.tenant_key")) return [{ seed: Buffer.alloc(32, tenantId) }]
          if (text.startsWith("insert")) rows.push({ environment, tenantId, row: values })
          if (!text.startsWith("select")) return []
          const [indexes, now] = values as [Buffer[], Date]
          const mine = rows.filter(
            ({ environment: e, tenantId: t, row: [, index, , expiresAt] }) =>
              e === environment &&
              t === tenantId &&
              indexes.some((wanted) => wanted.equals(index as Buffer)) &&
              (expiresAt as Date) > now,
          )
          return mine
            .map(({ row: [id, , , expires_at, sealed] }) => ({ id, expires_at, sealed }))
            .reverse()
        },
      }),
  } as unknown as Database
  const make = () =>
    new Analyst({
      database,
      keyring,
      observe: {
        live: (n) => {
          visits.push(n.host)
          return visit(n)
        },
        test: async (n) => observation(n.host),
      },
      judge: () => ({ trust_score: 50 }) as Verdict,
      now: () => now,
      concurrency: 2,
      perMinute: 3,
    })
  return { make, rows, visits, pass: (ms: number) => (now += ms) }
}

const asker = { environment: "live", tenantId: "a" } as const

describe("analyst", () => {
  it("visits once, then knows, also after a restart", async () => {
    const { make, visits } = world()
    const analyst = make()
    assert.equal((await analyst.analyze(asker, name("x.test"), false)).hit, false)
    assert.equal((await analyst.analyze(asker, name("x.test"), false)).hit, true)
    assert.equal((await make().analyze(asker, name("x.test"), false)).hit, true)
    assert.deepEqual(visits, ["x.test"])
  })

  it("fresh looks again, whatever is known", async () => {
    const { make, visits } = world()
    const analyst = make()
    await analyst.analyze(asker, name("x.test"), false)
    assert.equal((await analyst.analyze(asker, name("x.test"), true)).hit, false)
    assert.equal(visits.length, 2)
  })

  it("I3: what one tenant asked is no hit for another, nor live for sandbox", async () => {
    const { make, visits } = world()
    const analyst = make()
    await analyst.analyze(asker, name("x.test"), false)
    const other = await analyst.analyze({ ...asker, tenantId: "b" }, name("x.test"), false)
    assert.equal(other.hit, false)
    assert.equal(visits.length, 2)
    const sandbox = await analyst.analyze({ ...asker, environment: "test" }, name("x.test"), false)
    assert.equal(sandbox.hit, false)
    assert.equal(visits.length, 2, "the sandbox visits nobody")
  })

  it("who asks at the same time shares one visit", async () => {
    const { make, visits } = world()
    const analyst = make()
    await Promise.all([1, 2, 3].map(() => analyst.analyze(asker, name("x.test"), true)))
    assert.equal(visits.length, 1)
  })

  it("is good for a day, and for 5 minutes where something passing stood in the way", async () => {
    for (const [tls, ttlMs] of [
      [{ value: {} }, DAY_MS],
      [{ unknown: "timeout" }, 300_000],
    ] as const) {
      const { make, visits, pass } = world(async (n) => observation(n.host, tls))
      const analyst = make()
      await analyst.analyze(asker, name("x.test"), false)
      pass(ttlMs - 1)
      assert.equal((await analyst.analyze(asker, name("x.test"), false)).hit, true)
      pass(1)
      assert.equal((await analyst.analyze(asker, name("x.test"), false)).hit, false)
      assert.equal(visits.length, 2)
    }
  })

  it("no host is visited more often a minute than allowed, over all tenants", async () => {
    const { make, pass } = world()
    const analyst = make()
    const ask = (tenantId: string) => analyst.analyze({ ...asker, tenantId }, name("x.test"), true)
    for (const tenant of ["a", "b", "c"]) await ask(tenant)
    await assert.rejects(ask("d"), (problem: Problem) => {
      assert.equal(problem.code, "RATE_LIMITED")
      assert.equal(problem.retryAfterSeconds, 60)
      return true
    })
    pass(60_001)
    await ask("d")
  })

  it("the hosts of one registrable name share that, but not those of a shared platform", async () => {
    const hosts = ["a", "b", "c", "d"]
    const ask = (registrable: string, shared: boolean) => {
      const analyst = world().make()
      const asked = hosts.map((host) =>
        analyst.analyze(asker, name(`${host}.x.test`, registrable, shared), false),
      )
      return Promise.allSettled(asked)
    }
    const own = await ask("x.test", false)
    assert.deepEqual(
      own.map(({ status }) => status),
      ["fulfilled", "fulfilled", "fulfilled", "rejected"],
    )
    assert.ok((await ask("x.test", true)).every(({ status }) => status === "fulfilled"))
  })

  it("no more visits at the same time than allowed; the rest wait their turn", async () => {
    let underWay = 0
    let most = 0
    const { make } = world(async (n) => {
      most = Math.max(most, ++underWay)
      await new Promise((resolve) => setImmediate(resolve))
      underWay--
      return observation(n.host)
    })
    const analyst = make()
    const hosts = Array.from({ length: 10 }, (_, i) => name(`x${i}.test`))
    await Promise.all(hosts.map((host) => analyst.analyze(asker, host, false)))
    assert.equal(most, 2)
  })

  it("a visit that fails is not remembered, and gives its place back", async () => {
    let fail = true
    const { make } = world(async (n) => {
      if (fail) throw new Problem("INTERNAL")
      return observation(n.host)
    })
    const analyst = make()
    for (const host of ["x.test", "y.test", "z.test"]) {
      await assert.rejects(analyst.analyze(asker, name(host), false))
    }
    fail = false // of the two places none is lost, or this would wait for ever
    assert.equal((await analyst.analyze(asker, name("x.test"), false)).hit, false)
  })

  for (const [why, transient] of [
    ["timeout", true],
    ["servfail", true],
    ["deadline", true],
    ["server_error", true],
    ["refused", true],
    ["challenge", true],
    ["blocked", false],
    ["platform", false],
    ["not_offered", false],
  ] as const) {
    it(`${why} ${transient ? "passes" : "stays"}`, () => {
      assert.equal(hasTransientUnknown(observation("x.test", { unknown: why })), transient)
    })
  }
})
