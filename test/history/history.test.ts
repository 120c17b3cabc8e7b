/**
 * Revocation holds on every instance from its commit on, while keys and instances change at random.
 * `npm test -- --long` asks a million times.
 */
import assert from "node:assert/strict"
import { join } from "node:path"
import { describe, it } from "node:test"
import { runHistory } from "./run.ts"

describe("the history of keys over three instances", () => {
  it("ten thousand answers under mishaps: none is wrong", async (t) => {
    const { seed, history, mishaps } = await runHistory({
      requests: 10_000,
      clients: 120,
      mishapEveryMs: 200,
    })
    const counts = Object.fromEntries(history.answers)
    const { decided, changes } = history
    t.diagnostic(JSON.stringify({ seed, decided, changes, ...mishaps, ...counts }))
    assert.deepEqual(history.faults(), [], `seed ${seed}`)
    assert.ok((counts["SERVED"] ?? 0) > 2_000, "most are good")
    assert.ok((counts["UNAVAILABLE"] ?? 0) < 3_000, "and few are not decided")
    for (const code of ["INVALID_KEY", "KEY_REVOKED", "KEY_DISABLED", "KEY_EXPIRED"]) {
      assert.ok(counts[code], `somebody was refused with ${code}`)
    }
    for (const code of ["ADDRESS_NOT_ALLOWED", "INSUFFICIENT_SCOPE"]) {
      assert.ok(counts[code], `somebody was refused with ${code}`)
    }
  })

  it("one instance that remembers for a second who was good is found out", async () => {
    const { history } = await runHistory({
      requests: 1_500,
      clients: 50,
      preload: join(import.meta.dirname, "remembering-preload.ts"),
    })
    const faults = history.faults()
    assert.ok(faults.length > 0)
    assert.ok(faults.every((fault) => fault.startsWith("instance 0")))
  })
})
