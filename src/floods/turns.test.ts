import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Turns } from "./turns.ts"

const turn = () => new Promise((resolve) => setImmediate(resolve))
/** A piece that takes more than a turn's time. */
const busy = () => {
  const end = performance.now() + 2
  while (performance.now() < end);
}

describe("turns", () => {
  it("do one long piece each, in order, and others come in between", async () => {
    const turns = new Turns(0)
    const done: string[] = []
    const all = Promise.withResolvers<void>()
    for (const name of ["a", "b", "c"]) {
      turns.add(() => {
        busy()
        done.push(name)
        if (name === "b") setImmediate(() => done.push("others")) // after a timer, before the next
        if (name === "c") all.resolve()
      })
    }
    assert.deepEqual(done, [], "never at once")
    await all.promise
    assert.deepEqual(done, ["a", "b", "others", "c"])
  })

  it("take what is added meanwhile, and what comes after all was done", async () => {
    const turns = new Turns(0)
    const done: number[] = []
    await new Promise<void>((resolve) => {
      turns.add(() => {
        done.push(1)
        turns.add(() => done.push(3))
        turns.add(resolve)
      })
      turns.add(() => done.push(2))
    })
    assert.deepEqual(done, [1, 2, 3])
    await new Promise<void>((resolve) => turns.add(resolve))
  })

  it("keep each piece for as long as they are told to", async () => {
    const turns = new Turns(50)
    const added = performance.now()
    const waited = () => performance.now() - added
    const first = new Promise<number>((resolve) => turns.add(() => resolve(waited())))
    await new Promise((resolve) => setTimeout(resolve, 20))
    const again = performance.now()
    const second = new Promise<number>((resolve) =>
      turns.add(() => resolve(performance.now() - again)),
    )
    assert.ok((await first) >= 49)
    assert.ok((await second) >= 49)
  })

  it("spread what came at once over a time, each in its order of being due", async () => {
    const turns = new Turns(20, 200)
    const added = performance.now()
    const dueMs: number[] = []
    await new Promise<void>((resolve) => {
      for (let n = 0; n < 50; n++) {
        turns.add(() => {
          dueMs.push(performance.now() - added)
          if (dueMs.length === 50) resolve()
        })
      }
    })
    assert.ok((dueMs[0] ?? 0) >= 19)
    assert.ok((dueMs[24] ?? 0) - (dueMs[0] ?? 0) > 30, dueMs.join())
    assert.ok((dueMs[49] ?? 0) - (dueMs[24] ?? 0) > 30, dueMs.join())
    assert.equal(turns.waiting, 0)
  })

  it("take no more than their bound", async () => {
    const turns = new Turns(0)
    let done = 0
    for (let n = 0; n < 20_000; n++) assert.ok(turns.add(() => done++))
    assert.equal(
      turns.add(() => done++),
      false,
    )
    await turn()
    assert.ok(done > 0)
    assert.ok(turns.add(() => {}))
  })
})
