/**
 * A repeated `GET /v1/analyze` answered from memory, authenticated, held to a rate and a quota, charged
 * and recorded in PostgreSQL, over HTTPS with a live key, against a bare `node:https` server that sends
 * the same bytes.
 *
 * `bin/node bench/hot-path.ts [--rounds 5] [--seconds 4] [--connections 64] [--unlimited]`; needs `wrk`.
 * The plan has a rate and a quota that are never reached; with `--unlimited` it has none. Rounds are
 * interleaved. CPU is the API process's own (user and system); wall is requests a second with
 * everything (load generator, API, PostgreSQL) on this machine's cores.
 */
import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import { startBare } from "./bare.ts"
import { openDeployment, TARGET } from "./deployment.ts"
import type { Load, Target } from "./load.ts"
import { load, loadRow, medianLoad } from "./load.ts"
import { opened, tidily } from "./tidy.ts"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "4" },
    connections: { type: "string", default: "64" },
    unlimited: { type: "boolean", default: false },
  },
})

await tidily(async (stack) => {
  const deployment = await openDeployment(stack)
  const [program] = deployment.programs
  const [key] = await deployment.keys(1, { unlimited: values.unlimited })
  if (program === undefined || key === undefined) throw new Error("nothing started")
  const answer = await program.ask(TARGET, { key })
  const bare = await opened(
    stack,
    () => startBare(deployment.dataDir, answer),
    (one) => one.close(),
  )
  const measure = (target: Target, seconds: number) =>
    load([target], {
      path: TARGET,
      keys: [key],
      connections: Number(values.connections),
      seconds,
      dataDir: deployment.dataDir,
    })

  const rounds = { ours: [] as Load[], bare: [] as Load[] }
  await measure(program, 2) // both warm
  await measure(bare, 1)
  for (let round = 0; round < Number(values.rounds); round++) {
    rounds.ours.push(await measure(program, Number(values.seconds)))
    rounds.bare.push(await measure(bare, Number(values.seconds)))
  }

  const usage = await program.ask("/v1/usage", { key })
  console.log(
    `${answer.text.length} bytes, ${values.connections} connections, ${availableParallelism()} cores, ${values.rounds} rounds of ${values.seconds} s, medians:`,
  )
  const [ours, theirs] = [medianLoad(rounds.ours), medianLoad(rounds.bare)]
  console.log(loadRow("ours", ours))
  console.log(loadRow("bare node:https", theirs))
  const cpu = theirs.apiMicros / ours.apiMicros
  const wall = ours.perSecond / theirs.perSecond
  const p99 = ours.p99Ms / theirs.p99Ms
  console.log(
    `ratio: CPU ${cpu.toFixed(2)} of bare (goal 0.75), wall ${wall.toFixed(2)} (goal 0.55), p99 ${p99.toFixed(1)} times (goal 4)`,
  )
  console.log(
    `recorded: ${usage.json.total.requests} usage rows of ${ours.requests} answers and those to warm it`,
  )
})
