import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Problem } from "../core/problem.ts"
import type { Database } from "../db/database.ts"
import { NotConnected } from "../db/errors.ts"
import { Admission } from "./admission.ts"
import type { Arrival, Caller } from "./batch.ts"
import { LATENCY_BUCKETS_MS, latencyBucket } from "./batch.ts"

interface Call {
  /** The guess that nobody is refused. */
  readonly plain: unknown
  /** The statement's other parameters, after the batch's id. */
  readonly values: readonly string[]
  readonly text: string
  answer(rows: AnswerRow[]): void
  fail(error: Error): void
}

/** A database that shows each statement, and answers when told to. */
function fakeDatabase() {
  const calls: Call[] = []
  const aside: Call[] = []
  const show =
    (list: Call[]) =>
    (text: string, values: string[] = []) => {
      const { promise, resolve, reject } = Promise.withResolvers<object[]>()
      const answer = (rows: AnswerRow[]) => resolve([{ answer: answerOf(rows) }])
      list.push({
        text,
        plain: values[1],
        values: values.slice(text.includes("admit_batch") ? 2 : 1),
        answer,
        fail: reject,
      })
      return promise
    }
  const database = { call: show(calls), callAside: show(aside) } as unknown as Database
  return { database, calls, aside }
}

const arrival = (n: number): Arrival => ({
  index8: `index${n}`,
  digest: `digest${n}`,
  requestId: `request${n}`,
  route: 1,
  cost: 1,
  scope: 1,
})

const admit = (admission: Admission, n: number): Promise<Caller | Problem> =>
  new Promise((resolve) => admission.admit(arrival(n), resolve))

const tick = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
interface AnswerRow {
  readonly caller?: readonly [number, string, string]
  readonly limits?: readonly (number | null)[]
  readonly refusal?: readonly [number, string, number | null]
}

/** Names a key, by its number. */
const caller = (number: number) => ({
  caller: [number, `tenant${number}`, `key${number}`] as const,
})
const asCaller = ({ caller: [, tenantId, keyId] }: ReturnType<typeof caller>): Caller => ({
  tenantId,
  keyId,
})
const refusal = (position: number, reason: string, retryMs: number | null = null) => ({
  refusal: [position, reason, retryMs] as const,
})
/** As the statement puts it. */
const answerOf = (rows: readonly AnswerRow[]) => {
  const all = (field: keyof AnswerRow) => {
    const list = rows.flatMap((row) => (row[field] ? [row[field]] : []))
    return list.length > 0 ? list : null
  }
  return {
    at: "2026-11-24 22:00:00+00",
    ...{ introduced: all("caller"), limits: all("limits"), refused: all("refusal") },
  }
}
const sqlError = (code: string) => Object.assign(new Error("refused"), { code })

describe("admission", () => {
  it("requests of one tick go in one statement, in order", async () => {
    const { database, calls } = fakeDatabase()
    const admission = new Admission(database, "live")
    const admitted = [1, 2, 3].map((n) => admit(admission, n))
    await tick()
    assert.equal(calls.length, 1)
    assert.equal(calls[0]?.values[0], "{index1,index2,index3}")
    assert.equal(calls[0]?.values[2], "{1,2,3}", "all are asked for, none is known")
    assert.equal(calls[0]?.values[3], "{1,2,3}", "each has a key of its own")
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
    calls[0]?.answer([...[1, 2, 3].map(caller), refusal(2, "KEY_REVOKED")])
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
    assert.equal(calls[1]?.values[2], "{}")
    calls[1]?.answer([refusal(1, "KEY_REVOKED")])
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

  it("a key that many requests carry is sent once", async () => {
    const { database, calls } = fakeDatabase()
    const admission = new Admission(database, "live")
    const results = [1, 2, 1].map(
      (key, n) =>
        new Promise((resolve) =>
          admission.admit({ ...arrival(key), requestId: `request${n}` }, resolve),
        ),
    )
    await tick()
    assert.equal(calls[0]?.values[1], "{digest1,digest2}")
    assert.equal(calls[0]?.values[3], "{1,2,1}")
    calls[0]?.answer([caller(1), caller(2), refusal(3, "RATE_LIMITED", 1500)])
    const [one, two, three] = await Promise.all(results)
    assert.deepEqual([one, two], [caller(1), caller(2)].map(asCaller))
    assert.ok(three instanceof Problem)
    assert.deepEqual([three.code, three.retryAfterSeconds], ["RATE_LIMITED", 2])
  })

  it("tells what is left for a key, to who is let in and to who is not", async () => {
    const { database, calls } = fakeDatabase()
    const admission = new Admission(database, "live")
    const limits: unknown[] = []
    for (const n of [1, 1]) admission.admit(arrival(n), (_, __, left) => limits.push(left))
    await tick()
    calls[0]?.answer([
      { ...caller(1), limits: [1, 2, 5, 3, 9, 0] },
      refusal(2, "QUOTA_EXCEEDED", 9),
    ])
    await tick()
    const told = { rate: { perSecond: 2, burst: 5, left: 3 }, quota: { perMonth: 9, left: 0 } }
    assert.deepEqual(limits, [told, told])
  })

  it("guesses by the last answer whether nobody is refused", async () => {
    const { database, calls } = fakeDatabase()
    const admission = new Admission(database, "live")
    const answers = [[caller(1)], [refusal(1, "KEY_REVOKED")], []]
    for (const [n, answer] of answers.entries()) {
      const admitted = admit(admission, 1)
      await tick()
      calls[n]?.answer(answer)
      await admitted
      await tick()
    }
    void admit(admission, 1)
    await tick()
    assert.deepEqual(
      calls.map(({ plain }) => plain),
      [true, true, false, true],
    )
  })

  it("what one tenant stops does not stop the others: each goes on by itself", async () => {
    const { database, calls, aside } = fakeDatabase()
    const admission = new Admission(database, "live")
    const known = [1, 2].map((n) => ({ ...arrival(n), caller: asCaller(caller(n)) }))
    const ask = (one: Arrival) =>
      new Promise<Caller | Problem>((resolve) => admission.admit(one, resolve))
    const [locked, free] = known.map(ask)
    await tick()
    calls[0]?.fail(sqlError("55P03"))
    await tick()
    assert.deepEqual(
      aside.map(({ values }) => values[1]),
      ["{digest1}", "{digest2}"],
    )
    aside[1]?.answer([])
    assert.deepEqual(await free, known[1]?.caller)
    await tick()
    const again = ask(known[1] as Arrival)
    const waiting = ask(known[0] as Arrival)
    await tick()
    assert.equal(calls[1]?.values[1], "{digest2}", "back among the others, without the locked one")
    calls[1]?.answer([])
    await again
    aside[0]?.fail(sqlError("55P03"))
    await tick()
    assert.equal(aside[2]?.values[1], "{digest1}", "tries again until its deadline")
    aside[2]?.answer([])
    await locked
    await tick()
    aside[3]?.answer([])
    await waiting
  })

  for (const [what, error, voided] of [
    ["a lost connection", Object.assign(new Error("reset"), { code: "ECONNRESET" }), true],
    ["a server that shuts down", sqlError("57P01"), true],
    ["an SQL error, which rolled back", sqlError("22P02"), false],
    ["no connection, so that nothing was sent", new NotConnected(sqlError("57P03")), false],
  ] as const) {
    it(`${what}: ${voided ? "the batch is voided by its id" : "nothing is left to void"}`, async () => {
      const { database, calls, aside } = fakeDatabase()
      const admission = new Admission(database, "live")
      const refused = admit(admission, 1)
      await tick()
      calls[0]?.fail(error)
      await tick()
      for (const { text, fail } of aside) if (text.includes("admit_batch")) fail(error)
      assert.ok((await refused) instanceof Problem)
      assert.equal(
        aside.some(({ text }) => text.includes("void_batch")),
        voided,
      )
    })
  }

  it("outcomes in a batch whose commit is uncertain are voided by themselves, once", async () => {
    const { database, calls, aside } = fakeDatabase()
    const admission = new Admission(database, "live")
    const refused = admit(admission, 1)
    const ended = { status: 200, latencyBucket: 3, cacheHit: false }
    const finished = admission.finish({ ...ended, tenantId: "t", admittedAt: "", requestId: "r" })
    await tick()
    calls[0]?.fail(sqlError("57P01"))
    await Promise.all([refused, assert.rejects(finished)])
    for (const values of [
      ["{request1}", "{}", "{}", "{}"],
      ["{}", "{t}", '{""}', "{r}"],
    ]) {
      assert.deepEqual(aside.at(-1)?.values, values)
      aside.at(-1)?.answer([])
      await tick()
    }
    assert.equal(aside.length, 2)
  })

  it("a batch that cannot be voided yet does not stop the next", async () => {
    const { database, calls, aside } = fakeDatabase()
    const admission = new Admission(database, "live")
    for (const n of [1, 2]) {
      const refused = admit(admission, n)
      await tick()
      calls[n - 1]?.fail(sqlError("57P01"))
      await refused
    }
    for (const [index, n] of [1, 2, 1].entries()) {
      while (aside.length <= index) await tick()
      assert.equal(aside[index]?.values[0], `{request${n}}`)
      if (index === 0) aside[index]?.fail(sqlError("55P03"))
      else aside[index]?.answer([])
    }
  })

  it("while too many are to be voided nobody is admitted, and none is forgotten", async () => {
    const { database, calls, aside } = fakeDatabase()
    const admission = new Admission(database, "live")
    // One is under way.
    for (let n = 0; n < 501; n++) {
      const refused = admit(admission, n)
      await tick()
      calls[n]?.fail(sqlError("57P01"))
      assert.ok((await refused) instanceof Problem)
    }
    const result = await admit(admission, 501)
    assert.equal(result instanceof Problem && result.code, "UNAVAILABLE")
    assert.equal(calls.length, 501, "nothing is asked")
    assert.ok(admission.failedAt !== undefined, "health says so")
    for (let n = 0; n < 501; n++) {
      assert.equal(aside[n]?.values[0], `{request${n}}`)
      aside[n]?.answer([])
      await tick()
    }
    const admitted = admit(admission, 502)
    await tick()
    calls[501]?.answer([caller(1)])
    assert.deepEqual(await admitted, asCaller(caller(1)))
  })

  it("a batch that commits past its deadline is voided: its requests were refused", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] })
    const { database, calls, aside } = fakeDatabase()
    const admission = new Admission(database, "live")
    const refused = admit(admission, 1)
    await tick()
    t.mock.timers.tick(3_000)
    assert.ok((await refused) instanceof Problem)
    calls[0]?.answer([caller(1)])
    await tick()
    assert.match(aside[0]?.text ?? "", /void_batch/)
    assert.equal(aside[0]?.values[0], "{request1}")
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
    assert.deepEqual(calls[0]?.values.slice(-6), ["{t}", at, "{r}", "{200}", "{3}", "{false}"])
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

  it("outcomes that are refused unsent are voided, those of a tenant together: they were answered 503", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] })
    const { database, calls, aside } = fakeDatabase()
    const admission = new Admission(database, "live")
    const finish = (requestId: string, tenantId = "t") =>
      admission.finish({
        tenantId,
        admittedAt: "2026-11-24 22:00:00+00",
        requestId,
        status: 200,
        latencyBucket: 3,
        cacheHit: false,
      })
    const inFlight = admit(admission, 1)
    await tick()
    const waiting = assert.rejects(finish("waited"))
    t.mock.timers.tick(3_000)
    await waiting
    for (const [requestId, tenantId] of [
      ["later1", "u"],
      ["later2", "t"],
      ["later3", "u"],
    ] as const) {
      await assert.rejects(finish(requestId, tenantId))
    }
    for (const requestIds of ["{waited}", "{later1,later3}", "{later2}"]) {
      const voided = aside.at(-1)
      assert.match(voided?.text ?? "", /void_batch/)
      assert.deepEqual([voided?.values[0], voided?.values[3]], ["{}", requestIds])
      voided?.answer([])
      await tick()
    }
    calls[0]?.fail(new Error("gone"))
    await inFlight
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
