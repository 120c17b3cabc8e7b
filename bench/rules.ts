/**
 * How many verdicts one core gives, by CPU time, so that neighbours do not count for much.
 *
 * Three figures in one run: the rules alone (findings of all of them, which the limit is for), the
 * whole verdict, and the part of it that is the digest's canonical JSON. The observation is the
 * sandbox's good site, which leaves no rule early.
 */
import { canonicalJson } from "../src/core/canonical-json.ts"
import { judge } from "../src/engine/judge.ts"
import { normalizeName } from "../src/engine/name.ts"
import { RULES } from "../src/engine/rules/rules.ts"
import { sandboxObservation } from "../src/engine/sandbox.ts"
import type { Observation } from "../src/engine/types.ts"

const VERDICTS_PER_SECOND = 10_000
const ROUNDS = 5
const ITERATIONS = 5_000

const observation: Observation = JSON.parse(
  JSON.stringify(sandboxObservation(normalizeName("approve.test"), new Date())),
)

/** @returns Microseconds of CPU a call: the best of several rounds, after one to warm up. */
function measure(work: () => unknown): number {
  const rounds = Array.from({ length: ROUNDS + 1 }, () => {
    const start = process.cpuUsage()
    for (let i = 0; i < ITERATIONS; i++) work()
    const { user, system } = process.cpuUsage(start)
    return (user + system) / ITERATIONS
  })
  return Math.min(...rounds.slice(1))
}

const rules = measure(() => RULES.map((rule) => rule.judge(observation)))
const verdict = measure(() => judge(observation))
const canonical = measure(() => canonicalJson(observation))

const row = (label: string, microseconds: number) =>
  `${label.padEnd(36)}${microseconds.toFixed(1).padStart(8)} µs ${Math.round(1e6 / microseconds)
    .toLocaleString("en")
    .padStart(9)}/s`
console.log(row(`rules alone (${RULES.length})`, rules))
console.log(row("whole verdict", verdict))
console.log(row("of it canonical JSON", canonical))
if (1e6 / rules < VERDICTS_PER_SECOND) {
  console.error(`The rules stay below ${VERDICTS_PER_SECOND} verdicts a second.`)
  process.exitCode = 1
}
