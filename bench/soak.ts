/**
 * Memory and open files of the program and its database, under steady load for long.
 *
 * `bin/node bench/soak.ts [--minutes 2] [--connections 16] [--tenants 16]`; needs `wrk`. The issue asks for
 * `--minutes 60`. Compared are medians of the second quarter and of the last: the first warms caches.
 * Between steps of load, keys are refused and answers are made afresh as well, so that those ways are gone too.
 */
import { readdirSync, readFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { generateKey } from "../src/keys/format.ts"
import { openDeployment, TARGET } from "./deployment.ts"
import { load, median } from "./load.ts"
import { interrupted, tidily } from "./tidy.ts"

/** Of what was a quarter of the time before; and so much is nothing, whatever it is of. */
const FLAT = 1.1
/** Below, what grows may be a heap that finds its size. */
const LONG_MINUTES = 10
const STEP_SECONDS = 5
const OTHERS = 20

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "2" },
    connections: { type: "string", default: "16" },
    tenants: { type: "string", default: "16" },
  },
})

await tidily(async (stack) => {
  const { programs, dataDir, keys: issue, connect } = await openDeployment(stack)
  const [program] = programs
  if (program === undefined) throw new Error("nothing started")
  const keys = await issue(Number(values.tenants))
  const client = await connect()
  const samples: Sample[] = []
  const steps = Math.max(8, Math.round((Number(values.minutes) * 60) / STEP_SECONDS))
  for (let step = 0; step < steps; step++) {
    interrupted.throwIfAborted()
    const { perSecond } = await load(programs, {
      ...{ path: TARGET, keys, dataDir },
      connections: Number(values.connections),
      seconds: STEP_SECONDS,
    })
    for (let n = 0; n < OTHERS; n++) {
      await program.ask(TARGET, { key: generateKey("live") })
      await program.ask(`${TARGET}&fresh=true`, { key: keys[n % keys.length] ?? "" })
    }
    const { rows } = await client.query("select count(*)::integer as n from pg_stat_activity")
    samples.push({
      memory: rssMiB(program.pid),
      files: readdirSync(`/proc/${program.pid}/fd`).length,
      connections: rows[0].n,
    })
    if (step % 12 === 0 || step === steps - 1) {
      const { memory, files, connections } = samples.at(-1) ?? (samples[0] as Sample)
      console.error(
        `${step * STEP_SECONDS} s: ${perSecond.toFixed(0)} a second, ${memory.toFixed(0)} MiB, ${files} files, ${connections} connections`,
      )
    }
  }
  const isShort = Number(values.minutes) < LONG_MINUTES
  const quarter = Math.floor(samples.length / 4)
  const rows = {
    memory: "MiB of memory, program",
    files: "open files, program",
    connections: "sessions of PostgreSQL",
  } as const
  for (const [field, name] of Object.entries(rows) as [keyof Sample, string][]) {
    const of = (from: number) =>
      median(samples.slice(from, from + quarter).map((sample) => sample[field]))
    const [early, late] = [of(quarter), of(samples.length - quarter)]
    const verdict = isShort ? "too short to say" : late <= early * FLAT ? "flat" : "GROWS"
    console.log(
      `${name.padEnd(24)} ${early.toFixed(0)} in the second quarter, ${late.toFixed(0)} in the last: ${verdict} (limit: flat)`,
    )
  }
})

interface Sample {
  readonly memory: number
  readonly files: number
  readonly connections: number
}

/** Resident, of proc(5). */
function rssMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024
}
