import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { setImmediate } from "node:timers/promises"
import { createGate } from "./gate.ts"
import { Problem } from "./problem.ts"

describe("a gate", () => {
  it("lets so many in at once, in their order, and all in the end", async () => {
    const pass = createGate(3)
    const order: number[] = []
    let inside = 0
    let most = 0
    const work = Array.from({ length: 20 }, (_, i) =>
      pass(async () => {
        most = Math.max(most, ++inside)
        order.push(i)
        await setImmediate()
        inside--
      }),
    )
    await Promise.all(work)
    assert.equal(most, 3)
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    )
    assert.equal(order.length, 20)
  })

  it("refuses who may not even wait, and lets in who comes when there is room again", async () => {
    const pass = createGate(1, 1)
    const { promise: held, resolve: release } = Promise.withResolvers<number>()
    const inside = pass(() => held)
    const waiting = pass(async () => 2)
    await assert.rejects(
      pass(async () => 3),
      (problem) => problem instanceof Problem && problem.code === "UNAVAILABLE",
    )
    release(1)
    assert.deepEqual(await Promise.all([inside, waiting]), [1, 2])
    assert.equal(await pass(async () => 4), 4)
  })

  it("frees the place of what failed", async () => {
    const pass = createGate(1)
    await assert.rejects(pass(() => Promise.reject(new Error("no"))))
    assert.equal(await pass(async () => 1), 1)
  })
})
