import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { createLatency } from "./latency.ts"

describe("latency", () => {
  it("is none at 0 ms: at once, in the same tick", (t) => {
    const what = t.mock.fn()
    createLatency(0).after(3, what)
    assert.equal(what.mock.callCount(), 1)
  })

  it("counts round trips", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] })
    const what = t.mock.fn()
    createLatency(20).after(3, what)
    t.mock.timers.tick(59)
    assert.equal(what.mock.callCount(), 0)
    t.mock.timers.tick(1)
    assert.equal(what.mock.callCount(), 1)
  })

  it("does nothing more after it was stopped", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] })
    const what = t.mock.fn()
    const latency = createLatency(20)
    latency.after(1, what)
    latency.stop()
    t.mock.timers.tick(1000)
    assert.equal(what.mock.callCount(), 0)
  })
})
