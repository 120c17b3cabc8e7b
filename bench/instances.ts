/**
 * One, two and three instances of the program on one database, under full load by one tenant (hot) and
 * by many (spread); once with as many connections as one instance has, once with as many for each.
 *
 * `bin/node bench/instances.ts [--rounds 3] [--seconds 3] [--connections 64] [--tenants 32]`; needs
 * `wrk`. Rounds by turns, medians. All of it is on this machine's cores: a second instance brings no
 * second machine, and the same connections over several instances make smaller batches.
 */
import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import { openDeployment, TARGET } from "./deployment.ts"
import type { Load } from "./load.ts"
import { load, loadRow, medianLoad } from "./load.ts"
import { tidily } from "./tidy.ts"

const P99_LIMIT = 3
const HOT_LIMIT = 0.7
/** A total does not count as fallen for less than two runs of the same differ by. */
const NOISE = 0.95

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    connections: { type: "string", default: "64" },
    tenants: { type: "string", default: "32" },
  },
})
const connections = Number(values.connections)
const SETTINGS = [
  { instances: 1, connections },
  { instances: 2, connections },
  { instances: 3, connections },
  { instances: 2, connections: 2 * connections },
  { instances: 3, connections: 3 * connections },
]
const WAYS = ["spread", "hot"] as const
type Way = (typeof WAYS)[number]

await tidily(async (stack) => {
  const { programs, dataDir, keys, connect } = await openDeployment(stack, 3)
  const spread = await keys(Number(values.tenants))
  const keysOf = { spread, hot: spread.slice(0, 1) }
  const client = await connect()
  const deadlocks = async () => {
    const { rows } = await client.query(
      "select deadlocks::integer as n from pg_stat_database where datname = current_database()",
    )
    return Number(rows[0].n)
  }
  const before = await deadlocks()
  const runs = SETTINGS.map((setting) => ({ ...setting, spread: [] as Load[], hot: [] as Load[] }))
  const run = (way: Way, setting: (typeof SETTINGS)[number], seconds: number) =>
    load(programs.slice(0, setting.instances), {
      path: TARGET,
      keys: keysOf[way],
      connections: setting.connections,
      seconds,
      dataDir,
    })
  for (const setting of SETTINGS) await run("spread", setting, 2) // all warm
  for (let round = 0; round < Number(values.rounds); round++) {
    console.error(`round ${round + 1} of ${values.rounds}`)
    for (const setting of runs) {
      for (const way of WAYS) setting[way].push(await run(way, setting, Number(values.seconds)))
    }
  }

  console.log(
    `${availableParallelism()} cores, ${values.rounds} rounds of ${values.seconds} s, medians; spread is ${spread.length} tenants:`,
  )
  const found = runs.map((setting) => ({
    ...setting,
    spread: medianLoad(setting.spread),
    hot: medianLoad(setting.hot),
  }))
  for (const way of WAYS) {
    for (const one of found) {
      console.log(
        loadRow(
          `${way}, ${one.instances} × ${Math.ceil(one.connections / one.instances)} connections`,
          one[way],
        ),
      )
    }
  }
  const [one, ...more] = found
  if (one === undefined) return
  for (const way of WAYS) {
    const totals = more.map((setting) => setting[way].perSecond / one[way].perSecond)
    const p99 = Math.max(...more.map((setting) => setting[way].p99Ms / one[way].p99Ms))
    const verdict = totals.some((total) => total < NOISE) ? "FALLS" : "does not fall"
    console.log(
      `${way.padEnd(6)} total ${list(totals)} of one instance's: ${verdict} (limit: never falls); p99 up to ${p99.toFixed(1)} times one's (limit ${P99_LIMIT})`,
    )
  }
  const hot = found.map((setting) => setting.hot.perSecond / setting.spread.perSecond)
  console.log(`one tenant alone: ${list(hot)} of spread (at least ${HOT_LIMIT})`)
  console.log(`deadlocks: ${(await deadlocks()) - before} (limit 0)`)
})

function list(ratios: readonly number[]): string {
  return ratios.map((ratio) => ratio.toFixed(2)).join(", ")
}
