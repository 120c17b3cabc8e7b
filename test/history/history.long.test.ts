/**
 * A million answers under mishaps, with a thousand requests under way at once; `TEST_HISTORY_ANSWERS` of
 * them where that is set.
 */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { runHistory } from "./run.ts"

const ANSWERS = Number(process.env["TEST_HISTORY_ANSWERS"] ?? 1_000_000)

describe("the history of keys over three instances, long", () => {
  it(`${ANSWERS} answers: none is wrong`, async (t) => {
    const { seed, history, mishaps } = await runHistory({
      requests: ANSWERS,
      clients: 1_000,
      mishapEveryMs: 1_000,
    })
    const counts = Object.fromEntries(history.answers)
    t.diagnostic(JSON.stringify({ seed, changes: history.changes, ...mishaps, ...counts }))
    assert.deepEqual(history.faults(), [], `seed ${seed}`)
  })
})
