/**
 * A million answers under mishaps, with a thousand requests under way at once; `TEST_HISTORY_ANSWERS` of
 * them where that is set. What came within `TEST_HISTORY_MINUTES` is compared in any case.
 *
 * More keys than in the short form, each changed less often: among a thousand requests each takes longer,
 * and would else mostly see its key change, so that more than one answer is right. And a key that an
 * instance has not seen yet makes its requests a stranger's, which wait their turn.
 */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { runHistory } from "./run.ts"

const ANSWERS = Number(process.env["TEST_HISTORY_ANSWERS"] ?? 1_000_000)
const MINUTES = Number(process.env["TEST_HISTORY_MINUTES"] ?? 100)

describe("the history of keys over three instances, long", () => {
  it(`${ANSWERS} answers: none is wrong`, async (t) => {
    const began = performance.now()
    const { seed, history, mishaps } = await runHistory({
      requests: ANSWERS,
      clients: 1_000,
      keys: 200,
      operators: 5,
      mishapEveryMs: 2_000,
      atMostMs: MINUTES * 60_000,
    })
    const seconds = Math.round((performance.now() - began) / 1_000)
    const { size, decided, changes } = history
    const counts = Object.fromEntries(history.answers)
    t.diagnostic(JSON.stringify({ seed, seconds, size, decided, changes, ...mishaps, ...counts }))
    assert.deepEqual(history.faults(), [], `seed ${seed}`)
    assert.ok(size >= ANSWERS, `${size} in ${MINUTES} minutes`)
  })
})
