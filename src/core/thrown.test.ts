import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { codeOf, messageOf } from "./thrown.ts"

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
