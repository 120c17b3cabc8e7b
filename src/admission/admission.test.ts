import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Problem } from "../core/problem.ts"
import type { Database } from "../db/database.ts"
import type { Arrival, Caller } from "./admission.ts"
import { Admission, LATENCY_BUCKETS_MS, latencyBucket } from "./admission.ts"

interface Call {
  readonly values: readonly string[]
  answer(rows: object[]): void
  fail(error: Error): void
}

/** A database that shows each statement, and answers when told to. */
function fakeDatabase(): { database: Database; calls: Call[] } {
  const calls: Call[] = []
  const database = {
    call: (_text: string, values: string[] = []) => {
      const { promise, resolve, reject } = Promise.withResolvers<object[]>()
      calls.push({ values, answer: resolve, fail: reject })
      return promise
    },
  } as unknown as Database
  return { database, calls }
}

const arrival = (n: number): Arrival => ({
  index8: `index${n}`,
  digest: `digest${n}`,
  requestId: `request${n}`,
  route: 1,
})

const admit = (admission: Admission, n: number): Promise<Caller | Problem> =>
  new Promise((resolve) => admission.admit(arrival(n), resolve))

const tick = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
const caller = (position: number) => ({
  position,
  reason: null,
  tenant_id: `tenant${position}`,
  key_id: `key${position}`,
  at: "2026-11-24 22:00:00+00",
})

describe("admission", () => {
  it("requests of one tick go in one statement, in order", async () => {
    const { database, calls } = fakeDatabase()
    const admission = new Admission(database, "live")
    const admitted = [1, 2, 3].map((n) => admit(admission, n))
    await tick()
    assert.equal(calls.length, 1)
    assert.equal(calls[0]?.values[0], "{index1,index2,index3}")
    assert.equal(calls[0]?.values[7], "{1,2,3}", "all are asked for, none is known")
    calls[0]?.answer([1, 2, 3].map(caller))
    assert.deepEqual(
      await Promise.all(admitted),
      [1, 2, 3].map((n) => ({ tenantId: `tenant${n}`, keyId: `key${n}` })),
    )
  })

  it("one statement is in flight; what arrives meanwhile is the next", async () => {
    const { database, calls } = fakeDatabase()
    const admission = new Admission(database, "live")
    const first = admit(admission, 1)
    await tick()
    const later = [admit(admission, 2), admit(admission, 3)]
    await tick()
    assert.equal(calls.length, 1)
    calls[0]?.answer([caller(1)])
    await first
    await tick()
    assert.equal(calls[1]?.values[0], "{index2,index3}")
    calls[1]?.answer([caller(1), caller(2)])
    await Promise.all(later)
  })

  it("a refused position is refused, its neighbours are not", async () => {
    const { database, calls } = fakeDatabase()
    const admission = new Admission(database, "live")
    const results = Promise.all([1, 2, 3].map((n) => admit(admission, n)))
    await tick()
    calls[0]?.answer([caller(1), { ...caller(2), reason: "KEY_REVOKED" }, caller(3)])
    const [one, two, three] = await results
    assert.ok(two instanceof Problem)
    assert.equal(two.code, "KEY_REVOKED")
    assert.ok(!(one instanceof Problem) && !(three instanceof Problem))
  })

  it("whom a digest belongs to is asked once, whether it is good every time", async () => {
    const { database, calls } = fakeDatabase()
    const admission = new Admission(database, "live")
    const first = admit(admission, 1)
    await tick()
    calls[0]?.answer([caller(1)])
    await first
    const known = admission.callerOf("digest1")
    assert.deepEqual(known, { tenantId: "tenant1", keyId: "key1" })
    const second = new Promise<Caller | Problem>((resolve) =>
      admission.admit({ ...arrival(1), caller: known }, resolve),
    )
    await tick()
    assert.equal(calls[1]?.values[0], "{index1}")
    assert.equal(calls[1]?.values[7], "{}")
    calls[1]?.answer([{ ...caller(1), reason: "KEY_REVOKED" }])
    const result = await second
    assert.ok(result instanceof Problem && result.code === "KEY_REVOKED")
  })

  it("a digest that nobody introduced is not let in", async () => {
    const { database, calls } = fakeDatabase()
    const result = admit(new Admission(database, "live"), 1)
    await tick()
    calls[0]?.answer([])
    assert.ok((await result) instanceof Problem)
  })

  it("without its database: UNAVAILABLE for the batch, and the next batch tries anew", async () => {
    const { database, calls } = fakeDatabase()
    const admission = new Admission(database, "live")
    const first = admit(admission, 1)
    await tick()
    calls[0]?.fail(new Error("gone"))
    const refused = await first
    assert.ok(refused instanceof Problem)
    assert.equal(refused.code, "UNAVAILABLE")
    assert.equal(refused.retryAfterSeconds, 1)
    const second = admit(admission, 2)
    await tick()
    calls[1]?.answer([caller(1)])
    assert.deepEqual(await second, { tenantId: "tenant1", keyId: "key1" })
  })

  it("an outcome is done only when its statement is", async () => {
    const { database, calls } = fakeDatabase()
    const admission = new Admission(database, "live")
    let done = false
    const finished = admission
      .finish({
        tenantId: "t",
        admittedAt: "2026-11-24 22:00:00+00",
        requestId: "r",
        status: 200,
        latencyBucket: 3,
        cacheHit: false,
      })
      .then(() => {
        done = true
      })
    await tick()
    assert.equal(done, false)
    const at = '{"2026-11-24 22:00:00+00"}'
    assert.deepEqual(calls[0]?.values.slice(8), ["{t}", at, "{r}", "{200}", "{3}", "{false}"])
    calls[0]?.answer([])
    await finished
    assert.equal(done, true)
  })

  it("past its deadline: UNAVAILABLE for all who wait, and for who comes, until it is through", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] })
    const { database, calls } = fakeDatabase()
    const admission = new Admission(database, "live")
    const first = admit(admission, 1)
    await tick()
    const second = admit(admission, 2)
    const third = admission.finish({
      tenantId: "t",
      admittedAt: "",
      requestId: "r",
      status: 200,
      latencyBucket: 0,
      cacheHit: false,
    })
    third.catch(() => {})
    await tick()
    calls[0]?.answer([caller(1)])
    await first
    await tick()
    const queued = admit(admission, 3)
    t.mock.timers.tick(3_000)
    for (const result of [await second, await queued, await admit(admission, 4)]) {
      assert.ok(result instanceof Problem)
      assert.equal(result.code, "UNAVAILABLE")
    }
    await assert.rejects(third)
    assert.equal(calls.length, 2, "whoever is refused asks nothing")
    calls[1]?.answer([caller(1)])
    await tick()
    const fifth = admit(admission, 5)
    await tick()
    calls[2]?.answer([caller(1)])
    assert.deepEqual(await fifth, { tenantId: "tenant1", keyId: "key1" })
  })

  it("past its queue it refuses at once, and asks nothing", () => {
    const { database, calls } = fakeDatabase()
    const admission = new Admission(database, "live")
    let refused = 0
    for (let n = 0; n < 20_010; n++) {
      admission.admit(arrival(n), (result) => {
        if (result instanceof Problem) refused++
      })
    }
    assert.equal(refused, 10)
    assert.equal(calls.length, 0)
  })

  for (const [ms, bucket] of [
    [0, 0],
    [1, 0],
    [1.01, 1],
    [10_000, 12],
    [10_001, 13],
  ] as const) {
    it(`${ms} ms is in bucket ${bucket}`, () => assert.equal(latencyBucket(ms), bucket))
  }

  it("buckets rise", () => {
    assert.deepEqual(
      LATENCY_BUCKETS_MS.toSorted((a, b) => a - b),
      LATENCY_BUCKETS_MS,
    )
  })
})
