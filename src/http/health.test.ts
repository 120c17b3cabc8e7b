import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Probe } from "./health.ts"
import { Health } from "./health.ts"

const ok: Probe = { state: "ok", message: "fine" }

function clock(start = Date.parse("2026-11-23T10:00:00.000Z")) {
  let ms = start
  return { now: () => ms, pass: (more: number) => (ms += more) }
}

describe("health", () => {
  for (const [states, overall, ready] of [
    [["ok", "ok"], "ok", true],
    [["ok", "degraded"], "degraded", true],
    [["degraded", "down"], "down", false],
  ] as const) {
    it(`${states.join(" and ")} is ${overall}`, async () => {
      const [a, b] = states.map((state): Probe => ({ state, message: "" }))
      const probes = { a: async () => a ?? ok, b: async () => b ?? ok }
      const health = new Health("1", probes, clock().now)
      assert.equal((await health.report()).status, overall)
      assert.equal(await health.ready(), ready)
    })
  }

  it("says since when, and what to do", async () => {
    const time = clock()
    let probe: Probe = ok
    const health = new Health("1", { database: async () => probe }, time.now)
    await health.report()
    time.pass(60_000)
    probe = { state: "down", message: "start it" }
    assert.deepEqual((await health.report()).components["database"], {
      status: "down",
      since: "2026-11-23T10:01:00.000Z",
      message: "start it",
    })
    time.pass(60_000)
    assert.equal(
      (await health.report()).components["database"]?.since,
      "2026-11-23T10:01:00.000Z",
      "a lasting state keeps its time",
    )
  })

  it("a probe that throws is down, and tells no internals", async () => {
    const probes = { database: () => Promise.reject(new Error("password 'hunter2' refused")) }
    const { status, components } = await new Health("1", probes, clock().now).report()
    assert.equal(status, "down")
    assert.doesNotMatch(JSON.stringify(components), /hunter2/)
  })

  it("does not wait for a component that never answers", async () => {
    const probes = { a: async () => ok, b: () => new Promise<Probe>(() => {}) }
    const { status, components } = await new Health("1", probes, clock().now).report()
    assert.equal(status, "down")
    assert.equal(components["a"]?.status, "ok")
    assert.equal(components["b"]?.message, "does not answer")
  })

  it("asks each component once a second, however often it is asked", async () => {
    const time = clock()
    let asked = 0
    const probe = async () => {
      asked++
      return ok
    }
    const health = new Health("1", { probe }, time.now)
    await Promise.all([health.report(), health.report(), health.ready()])
    await health.report()
    assert.equal(asked, 1)
    time.pass(1_000)
    await health.report()
    assert.equal(asked, 2)
  })

  it("while draining it is healthy and not ready", async () => {
    const health = new Health("1", { a: async () => ok }, clock().now)
    health.drain()
    assert.equal((await health.report()).status, "ok")
    assert.equal(await health.ready(), false)
  })
})
