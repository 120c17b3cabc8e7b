import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Turns } from "./turns.ts"

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe("turns", () => {
  it("do one piece at least, and leave the others to the turns that follow", async () => {
    const turns = new Turns(0)
    const done: number[] = []
    for (const n of [1, 2, 3]) turns.add(() => done.push(n))
    assert.deepEqual(done, [], "never at once")
    await turn()
    assert.deepEqual(done, [1])
    await turn()
    assert.deepEqual(done, [1, 2])
    await turn()
    assert.deepEqual(done, [1, 2, 3])
  })

  it("do what fits into their time, in order, what is added meanwhile too", async () => {
    const turns = new Turns(60_000)
    const done: number[] = []
    turns.add(() => {
      done.push(1)
      turns.add(() => done.push(3))
    })
    turns.add(() => done.push(2))
    await turn()
    assert.deepEqual(done, [1, 2, 3])
    turns.add(() => done.push(4))
    await turn()
    assert.deepEqual(done, [1, 2, 3, 4])
  })
})
