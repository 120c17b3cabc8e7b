import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Problem } from "./problem.ts"
import { codeOf, messageOf, withCauses } from "./thrown.ts"

describe("what was thrown", () => {
  for (const [thrown, code, message, because] of [
    [Object.assign(new Error("no file"), { code: "ENOENT" }), "ENOENT", "no file", "Node's errors"],
    [new Error("broken"), undefined, "broken", "an error without a code"],
    [Object.assign(new Error("busy"), { code: 5 }), undefined, "busy", "a number is no code"],
    [{ code: "ENOENT" }, undefined, "[object Object]", "what only looks like an error"],
    ["a text", undefined, "a text", "anything can be thrown"],
    [undefined, undefined, "undefined", "even nothing"],
  ] as const) {
    it(because, () => assert.deepEqual([codeOf(thrown), messageOf(thrown)], [code, message]))
  }
})

const CANARY = "zt_live_canary"

describe("an error without what it says (L2)", () => {
  it("its name, code and frames, and those of its causes", () => {
    const cause = Object.assign(new Error("duplicate key"), { code: "23505" })
    const [outer, inner] = withCauses(new Problem("INTERNAL", { cause }))
    assert.deepEqual([outer?.name, outer?.code], ["Problem", "INTERNAL"])
    assert.deepEqual([inner?.name, inner?.code], ["Error", "23505"])
    assert.match(inner?.frames[0] ?? "", /^at .*thrown\.test\.ts/)
  })

  for (const [error, because] of [
    [new Error(CANARY), "a message"],
    [Object.assign(new Error("x"), { detail: CANARY, input: CANARY }), "fields of a driver"],
    [Object.assign(new Error("x"), { name: CANARY }), "a name that is none"],
    [Object.assign(new Error("x"), { code: CANARY }), "a code that is none"],
    [new Error("x", { cause: new Error(`a\n    ${CANARY}`) }), "a cause's message of two lines"],
    [new Error(`a\n    at ${CANARY} (x.ts:1:1)`), "a message that looks like a frame"],
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
