import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Problem } from "./core/problem.ts"
import { withCauses } from "./log.ts"

const CANARY = "zt_live_canary"

describe("errors in the log (L2)", () => {
  it("their names, codes and frames, and those of their causes", () => {
    const cause = Object.assign(new Error("duplicate key"), { code: "23505" })
    const [outer, inner] = withCauses(new Problem("INTERNAL", { cause })) as {
      name: string
      code: string
      frames: string[]
    }[]
    assert.deepEqual([outer?.name, outer?.code], ["Problem", "INTERNAL"])
    assert.deepEqual([inner?.name, inner?.code], ["Error", "23505"])
    assert.match(inner?.frames[0] ?? "", /^at .*log\.test\.ts/)
  })

  for (const [error, because] of [
    [new Error(CANARY), "a message"],
    [Object.assign(new Error("x"), { detail: CANARY, input: CANARY }), "fields of a driver"],
    [new Error("x", { cause: new Error(`a\n    ${CANARY}`) }), "a cause's message of two lines"],
    [new Error("x", { cause: CANARY }), "a cause that is no error"],
    [CANARY, "a thrown text"],
  ] as const) {
    it(`nothing of ${because}`, () => {
      assert.doesNotMatch(JSON.stringify(withCauses(error)), new RegExp(CANARY))
    })
  }

  it("a chain that leads back to itself ends", () => {
    const error = new Error("x")
    error.cause = error
    assert.equal(withCauses(error).length, 5)
  })
})
