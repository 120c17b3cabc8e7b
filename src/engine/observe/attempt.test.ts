import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { attempt, whyOf } from "./attempt.ts"

describe("attempt", () => {
  const never = new AbortController().signal

  it("gives the first result, and stops once", async () => {
    const stopped: unknown[] = []
    const result = await attempt<number>(never, 60_000, (done) => {
      queueMicrotask(() => {
        done({ value: 1 })
        done({ value: 2 })
      })
      return (how) => stopped.push(how)
    })
    assert.deepEqual(result, { value: 1 })
    assert.deepEqual(stopped, [{ value: 1 }])
  })

  it("stops what ended before it could be stopped", async () => {
    let stopped = 0
    await attempt<number>(never, 60_000, (done) => {
      done({ value: 1 })
      return () => stopped++
    })
    assert.equal(stopped, 1)
  })

  it("is a timeout after its own time", async () => {
    assert.deepEqual(await attempt(never, 1, () => () => {}), { unknown: "timeout" })
  })

  it("is a deadline when the observation's time is over, and does not begin after it", async () => {
    const stop = new AbortController()
    const pending = attempt(stop.signal, 60_000, () => () => {})
    stop.abort()
    assert.deepEqual(await pending, { unknown: "deadline" })
    const late = attempt(stop.signal, 60_000, () => assert.fail("begun"))
    assert.deepEqual(await late, { unknown: "deadline" })
  })

  it("leaves no timer", async () => {
    const timers = () =>
      process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length
    const before = timers()
    await attempt<number>(never, 60_000, (done) => {
      setImmediate(() => done({ value: 1 }))
      return () => {}
    })
    assert.equal(timers(), before)
  })
})

describe("whyOf", () => {
  for (const [code, why] of [
    ["ECONNREFUSED", "refused"],
    ["ECONNRESET", "refused"],
    ["ETIMEDOUT", "timeout"],
    ["ENETUNREACH", "unreachable"],
    ["EMFILE", "unreachable"],
    ["HPE_HEADER_OVERFLOW", "too_large"],
    ["HPE_INVALID_CONSTANT", "malformed"],
  ] as const) {
    it(`${code} is ${why}`, () => {
      assert.equal(whyOf(Object.assign(new Error(code), { code })), why)
    })
  }
})
