/**
 * Full load while a snapshot is held open, as a backup, an export or a forgotten transaction holds one:
 * nothing that dies meanwhile can be pruned.
 *
 * `bin/node bench/snapshot.ts [--minutes 1.5] [--connections 64] [--tenants 4]`; needs `wrk`. The measure is
 * for `--minutes 10`. Without a snapshot before and after, a third of the time each: what the
 * growing tables cost counts for both.
 */
import { parseArgs } from "node:util"
import { openDeployment, TARGET } from "./deployment.ts"
import type { Load } from "./load.ts"
import { load, loadRow, medianLoad } from "./load.ts"
import { tidily } from "./tidy.ts"

const LIMIT = 0.8
const THIRDS = 3
/** A third that has so much of the one before has not fallen: two runs of the same differ by more. */
const NOISE = 0.95
const STEPS = 3

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1.5" },
    connections: { type: "string", default: "64" },
    tenants: { type: "string", default: "4" },
  },
})
const thirdSeconds = Math.max(STEPS, (Number(values.minutes) * 60) / THIRDS)

await tidily(async (stack) => {
  const { programs, dataDir, keys, connect } = await openDeployment(stack)
  const options = {
    ...{ path: TARGET, keys: await keys(Number(values.tenants)), dataDir },
    connections: Number(values.connections),
    seconds: Math.round(thirdSeconds / STEPS),
  }
  /** A third of the time, in steps whose median counts. */
  const third = async (name: string) => {
    const steps: Load[] = []
    for (let n = 0; n < STEPS; n++) steps.push(await load(programs, options))
    const result = medianLoad(steps)
    console.log(loadRow(name, result))
    return result.perSecond
  }
  await load(programs, { ...options, seconds: 2 }) // warm
  const before = await third("without, before")
  const holder = await connect()
  await holder.query("begin isolation level repeatable read read only")
  await holder.query("select count(*) from platform.tenant") // takes the snapshot
  const held: number[] = []
  for (let n = 1; n <= THIRDS; n++) held.push(await third(`snapshot held, third ${n} of ${THIRDS}`))
  const { rows } = await holder.query(
    "select extract(epoch from now() - backend_start)::float8 as s, backend_xmin is not null as held from pg_stat_activity where pid = pg_backend_pid()",
  )
  if (rows[0]?.held !== true) throw new Error("the snapshot was not held")
  await holder.query("commit")
  const after = await third("without, after")

  const mean = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0) / list.length
  const without = mean([before, after])
  const falling = held.slice(1).every((one, n) => one < (held[n] ?? one) * NOISE)
  const slope = ((held.at(-1) ?? 0) / (held[0] ?? 1)) ** (1 / ((THIRDS - 1) * (thirdSeconds / 60)))
  console.log(
    `held ${((THIRDS * thirdSeconds) / 60).toFixed(1)} minutes: ${(mean(held) / without).toFixed(2)} of without (at least ${LIMIT}), the last third ${((held.at(-1) ?? 0) / without).toFixed(2)}`,
  )
  console.log(
    `thirds ${held.map((one) => (one / without).toFixed(2)).join(", ")}, ${((slope - 1) * 100).toFixed(1)} % a minute: ${falling ? "KEEPS FALLING" : "does not keep falling"} (limit: does not)`,
  )
})
