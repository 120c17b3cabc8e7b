/** What doctor says of findings. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { diagnose } from "./doctor-abuse.ts"

describe("doctor on abuse", () => {
  for (const [findings, throttles, status, message] of [
    [0, 0, "ok", "nothing suspicious in the last day"],
    [1, 0, "warn", "1 suspicious thing in the last day, 0 throttled keys"],
    [2, 1, "warn", "2 suspicious things in the last day, 1 throttled key"],
    [0, 3, "warn", "0 suspicious things in the last day, 3 throttled keys"],
  ] as const) {
    it(`${findings} and ${throttles}: ${status}`, () => {
      const { status: said, message: told } = diagnose({ findings, throttles })
      assert.deepEqual([said, told], [status, message])
    })
  }
})
