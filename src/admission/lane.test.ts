import assert from "node:assert/strict"
import { afterEach, beforeEach, describe, it, mock } from "node:test"
import { setImmediate as turn } from "node:timers/promises"
import type { Arrival } from "./batch.ts"
import { Lane } from "./lane.ts"

describe("a lane", () => {
  let sizes: number[]
  let answer: () => void
  let lane: Lane
  let refused: number
  beforeEach(() => {
    sizes = []
    refused = 0
    mock.timers.enable({ apis: ["setTimeout"] })
    lane = new Lane({
      run: ({ arrivals }) => {
        sizes.push(arrivals.length)
        return new Promise((resolve) => {
          answer = resolve
        })
      },
      onLate: () => {},
      refuse: ({ arrivals }) => {
        refused += arrivals.length
      },
    })
  })
  afterEach(() => mock.timers.reset())

  const arrive = async (count: number) => {
    const arrival = {} as Arrival
    for (let n = 0; n < count; n++) lane.addArrival({ arrival, settle: () => {} })
    await turn()
  }
  const answered = async () => {
    answer()
    await turn()
    await turn()
  }

  it("has one statement in flight, and what arrives meanwhile in the next", async () => {
    await arrive(1)
    await arrive(2)
    await arrive(3)
    assert.deepEqual(sizes, [1])
    await answered()
    assert.deepEqual(sizes, [1, 5])
  })

  it("waits for nobody while few ask", async () => {
    await arrive(7)
    await answered()
    await arrive(1)
    assert.deepEqual(sizes, [7, 1])
  })

  it("waits under load until as many are back as were answered", async () => {
    await arrive(8)
    await arrive(3)
    await answered()
    await arrive(7)
    assert.deepEqual(sizes, [8])
    await arrive(1)
    assert.deepEqual(sizes, [8, 11])
  })

  it("waits for nobody after a batch that was large enough", async () => {
    await arrive(24)
    await arrive(1)
    await answered()
    assert.deepEqual(sizes, [24, 1])
  })

  it("waits no longer than a moment", async () => {
    await arrive(8)
    await arrive(3)
    await answered()
    await arrive(2)
    assert.deepEqual(sizes, [8])
    mock.timers.tick(1)
    await turn()
    assert.deepEqual(sizes, [8, 5])
  })

  it("takes who comes after a moment without anybody at once", async () => {
    await arrive(8)
    await answered()
    mock.timers.tick(1)
    await arrive(1)
    assert.deepEqual(sizes, [8, 1])
  })

  it("refuses who waits past the deadline, and goes on when the statement ends", async () => {
    await arrive(8)
    await arrive(2)
    mock.timers.tick(3_000)
    assert.equal(refused, 10)
    await arrive(1)
    assert.equal(refused, 11)
    await answered()
    mock.timers.tick(1)
    await arrive(4)
    assert.deepEqual(sizes, [8, 4])
  })
})
