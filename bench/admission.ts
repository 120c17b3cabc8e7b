/**
 * The admission statement alone: admissions a second, and the database's CPU for each, by batch sizes,
 * among few and many keys, with a month of usage rows in place.
 *
 * `bin/node bench/admission.ts [--keys 10000,1000000] [--usage 1000000] [--seconds 0.3] [--rounds 3]`.
 * The measure is for `--keys 10000,1000000,10000000`: the last takes three to ten minutes to load, and
 * 4 GB of disk, removed at the end. A month of usage belongs to the tenants that ask. Each database has
 * one connection, as the program has; a second is the whole round trip, CPU that of the connection's
 * process in PostgreSQL (proc(5), schedstat). The server does not sync, so that a disk's pace is not what is
 * measured. Databases by turns, medians of the rounds.
 */
import { readFileSync } from "node:fs"
import { parseArgs } from "node:util"
import type pg from "pg"
import type { Admission } from "../src/admission/admission.ts"
import { median } from "./load.ts"
import type { AskingKey } from "./many-keys.ts"
import { admissionOver, admitAll, fillKeys, KEYS_A_TENANT, keyNumber, uuidOf } from "./many-keys.ts"
import type { Scratch } from "./scratch.ts"
import { openScratch, usageDays } from "./scratch.ts"
import { tidily } from "./tidy.ts"

const LIMIT = 1.3
const SIZES = [1, 4, 16, 64, 256]
/** Of each plan, all over the table: so many tenants ask, with so many keys each. */
const TENANTS = 50
const KEYS = 5
const PLANS = ["unlimited", "limited"]

const { values } = parseArgs({
  options: {
    keys: { type: "string", default: "10000,1000000" },
    usage: { type: "string", default: "1000000" },
    seconds: { type: "string", default: "0.3" },
    rounds: { type: "string", default: "3" },
  },
})
const lastsMs = Number(values.seconds) * 1_000

await tidily(async (stack) => {
  const scratch = await openScratch(stack)
  const places: Place[] = []
  for (const keys of values.keys.split(",").map(Number)) places.push(await open(scratch, keys))
  console.log(`batches of so many; of ${places.map(({ keys }) => keys).join(" and ")} keys:`)
  let worst = 0
  for (const plan of PLANS) {
    for (const tenants of [1, TENANTS]) {
      for (const size of SIZES) {
        const rounds = places.map((place) => ({ place, measured: [] as Measured[] }))
        for (const { place } of rounds) await measure(place, plan, tenants, size, lastsMs / 3) // warm
        for (let round = 0; round < Number(values.rounds); round++) {
          for (const { place, measured } of rounds) {
            measured.push(await measure(place, plan, tenants, size, lastsMs))
          }
        }
        const of = (field: keyof Measured) =>
          rounds.map(({ measured }) => median(measured.map((one) => one[field])))
        const [few = 0, ...more] = of("cpuMicros")
        const ratios = more.map((one) => one / few)
        worst = Math.max(worst, ...ratios)
        console.log(
          `${plan.padEnd(9)} ${String(tenants).padStart(2)} tenants ${String(size).padStart(4)}: ${list(of("perSecond"), 0, 6)} a second; CPU ${list(of("cpuMicros"), 1, 6)} µs each${more.length > 0 ? `, ${list(ratios, 2, 4)} times` : ""}`,
        )
      }
    }
  }
  if (places.length > 1)
    console.log(
      `worst ${worst.toFixed(2)} times the CPU among ${places[0]?.keys} (at most ${LIMIT})`,
    )
})

interface Place {
  readonly keys: number
  readonly admission: Admission
  readonly asking: ReadonlyMap<string, readonly AskingKey[]>
  /** Of the connection's process in PostgreSQL. */
  readonly pid: number
}

interface Measured {
  readonly perSecond: number
  readonly cpuMicros: number
}

async function open(scratch: Scratch, keys: number): Promise<Place> {
  const began = performance.now()
  const name = `keys_${keys}`
  await scratch.create(name)
  const client = await scratch.connect(name)
  await fillKeys(client, keys)
  const tenants = keys / KEYS_A_TENANT
  // Even tenants are unlimited, odd ones limited.
  const of = (plan: number) =>
    Array.from({ length: TENANTS }, (_, n) => 2 * Math.floor((n * tenants) / (2 * TENANTS)) + plan)
  await fillUsage(client, [...of(0), ...of(1)])
  const asking = new Map(
    PLANS.map((plan, n) => [
      plan,
      of(n).flatMap((tenant) =>
        Array.from({ length: KEYS }, (_, key) => keyNumber(tenant * KEYS_A_TENANT + key)),
      ),
    ]),
  )
  const { rows } = await client.query("select pg_backend_pid() as pid")
  console.error(`${keys} keys in ${((performance.now() - began) / 1_000).toFixed(0)} s`)
  return { keys, admission: admissionOver(client), asking, pid: rows[0].pid }
}

/** A month of it, evenly over its days and the tenants. */
async function fillUsage(client: pg.Client, tenants: readonly number[]): Promise<void> {
  const each = Math.floor(Number(values.usage) / tenants.length)
  await client.query(`
    ${usageDays("current_date - 31", 33)};
    insert into live.usage (tenant_id, request_id, key_id, at, route, status, latency_bucket,
        cache_hit, units, plan)
      select ${uuidOf("t")}, gen_random_uuid(), ${uuidOf(`t * ${KEYS_A_TENANT}`)},
        now() - n * interval '30 days' / ${each}, 1, 200, 0, true, 1, 'unlimited'
      from generate_series(1, ${each}) n, unnest('{${tenants.join(",")}}'::integer[]) t
      order by n desc;
  `)
  await client.query("vacuum analyze live.usage")
}

async function measure(
  { admission, asking, pid }: Place,
  plan: string,
  tenants: number,
  size: number,
  lastsMs: number,
): Promise<Measured> {
  const keys = (asking.get(plan) ?? []).slice(0, tenants * KEYS)
  const before = backendMicros(pid)
  const began = performance.now()
  let admitted = 0
  while (performance.now() - began < lastsMs) {
    const batch = Array.from({ length: size }, (_, n) => keys[(admitted + n) % keys.length])
    await admitAll(admission, batch as AskingKey[], { introduced: true })
    admitted += size
  }
  const ms = performance.now() - began
  return { perSecond: (admitted / ms) * 1_000, cpuMicros: (backendMicros(pid) - before) / admitted }
}

/** Time on a CPU, of a process with one thread. */
function backendMicros(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ", 1)[0]) / 1_000
}

function list(numbers: readonly number[], digits: number, width: number): string {
  return numbers.map((one) => one.toFixed(digits).padStart(width)).join(" /")
}
