/** Units are exact over several instances that are paused, killed and cut off from the database. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { runQuota } from "./quota-run.ts"

describe("units over three instances", () => {
  it("under mishaps, and while a plan grows: none too many, each charged once", async (t) => {
    const { seed, answers, mishaps, faults } = await runQuota({
      requests: 3_000,
      clients: 60,
      units: [500, 800, 1_200],
      mishapEveryMs: 150,
      preloads: ["lossy-preload.ts"],
    })
    const counts = Object.fromEntries(
      Map.groupBy(answers, ({ status }) => status)
        .entries()
        .map(([status, list]) => [status, list.length]),
    )
    t.diagnostic(JSON.stringify({ seed, ...mishaps, ...counts }))
    assert.deepEqual(faults, [], `seed ${seed}`)
  })

  it("batches that are not taken back when their commit is uncertain are found out", async () => {
    const { faults } = await runQuota({
      requests: 1_500,
      clients: 60,
      units: [1_000],
      mishapEveryMs: 100,
      preloads: ["lossy-preload.ts", "forgetful-preload.ts"],
    })
    assert.match(faults.join("\n"), /refused, was charged/)
  })
})
