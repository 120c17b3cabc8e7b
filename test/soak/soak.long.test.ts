/**
 * An hour of steady load; `TEST_SOAK_MINUTES` of it where that is set. Memory, open files and connections
 * stay flat, and tomorrow's usage rows have a place at every moment.
 */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { growth } from "./flat.ts"
import type { Sample } from "./soak.ts"
import { soak } from "./soak.ts"

const MINUTES = Number(process.env["TEST_SOAK_MINUTES"] ?? 60)
const SHOWN = 10

describe("a soak", () => {
  it(`${MINUTES} minutes: nothing grows`, async () => {
    console.log("seconds  memory MiB  files  connections  answers  wrong  tomorrow")
    let n = 0
    const samples = await soak(MINUTES, (sample) => {
      if (n++ % SHOWN === SHOWN - 1) console.log(row(sample))
    })
    const figures = (name: "memoryMiB" | "files" | "connections") => samples.map((s) => s[name])
    const grown = [
      growth("memory (MiB)", figures("memoryMiB"), { share: 0.1, plus: 16 }),
      growth("open files", figures("files"), { share: 0, plus: 4 }),
      growth("connections", figures("connections"), { share: 0, plus: 1 }),
    ].filter((one) => one !== undefined)
    assert.deepEqual(grown, [])
    assert.deepEqual(samples.at(-1)?.wrong.slice(0, SHOWN), [])
    assert.ok(
      samples.every(({ tomorrow }) => tomorrow),
      "tomorrow's rows have a place",
    )
  })
})

function row(sample: Sample): string {
  const { seconds, memoryMiB, files, connections, answers, wrong, tomorrow } = sample
  const columns = [
    [seconds, 7],
    [memoryMiB, 10],
    [files, 5],
    [connections, 11],
    [answers, 7],
    [wrong.length, 5],
    [tomorrow ? "yes" : "no", 8],
  ] as const
  return columns.map(([value, width]) => String(value).padStart(width)).join("  ")
}
