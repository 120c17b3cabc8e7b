/**
 * Finding a key among ten million, against finding one among ten thousand.
 *
 * `bin/node bench/key-lookup.ts [--keys 10000000] [--calls 4000]`. Two databases of one server, by
 * turns: the plain index look-up, and the admission statement for one request and for a batch of
 * 100, as the program sends it. Ten million keys take about 4 GB of disk, removed at the end.
 */
import { parseArgs } from "node:util"
import type pg from "pg"
import type { Admission } from "../src/admission/admission.ts"
import { runStatement } from "../src/db/connection.ts"
import type { AskingKey } from "./many-keys.ts"
import { admissionOver, admitAll, fillKeys, keyNumber } from "./many-keys.ts"
import type { Scratch } from "./scratch.ts"
import { medians, openScratch } from "./scratch.ts"
import { tidily } from "./tidy.ts"

const LIMIT = 1.3
const FEW = 10_000
/** Of so many keys, all over the table, each asks for another. */
const ASKED = 2_000
const BATCH = 100

const { values } = parseArgs({
  options: {
    keys: { type: "string", default: "10000000" },
    calls: { type: "string", default: "4000" },
  },
})
const many = Number(values.keys)
const calls = Number(values.calls)

await tidily(async (stack) => {
  const scratch = await openScratch(stack)
  const [small, large] = [await open(scratch, "few", FEW), await open(scratch, "many", many)]
  let worst = 0
  for (const [name, share, work] of [
    ["plain index look-up", 1, lookUp],
    ["admission of one request", 1, (place: Place, n: number) => admit(place, n, 1)],
    [`admission of ${BATCH} at once`, 0.2, (place: Place, n: number) => admit(place, n, BATCH)],
  ] as const) {
    const found = await medians(
      { small: (n) => work(small, n), large: (n) => work(large, n) },
      calls * share,
    )
    const ratio = found.large / found.small
    worst = Math.max(worst, ratio)
    console.log(
      `${name.padEnd(26)} ${found.large.toFixed(0).padStart(6)} µs, ${found.small.toFixed(0).padStart(6)} µs among ${FEW}: ${ratio.toFixed(3)}`,
    )
  }
  console.log(`worst ${worst.toFixed(3)} of ${many} keys against ${FEW} (limit ${LIMIT})`)
  if (worst > LIMIT) process.exitCode = 1
})

interface Place {
  readonly client: pg.Client
  readonly admission: Admission
  readonly keys: readonly AskingKey[]
}

async function open(scratch: Scratch, name: string, count: number): Promise<Place> {
  const began = performance.now()
  await scratch.create(name)
  const client = await scratch.connect(name)
  await fillKeys(client, count)
  const keys = Array.from({ length: ASKED }, (_, n) => keyNumber(Math.floor((n * count) / ASKED)))
  const place = { client, admission: admissionOver(client), keys }
  for (let n = 0; n < ASKED; n++) await lookUp(place, n)
  console.error(`${count} keys in ${((performance.now() - began) / 1_000).toFixed(0)} s`)
  return place
}

async function lookUp({ client, keys }: Place, n: number): Promise<void> {
  const { index8, digest } = keys[n % ASKED] ?? { index8: "", digest: "" }
  const { rows } = await runStatement(
    client,
    "select tenant_id, id, revoked_at from live.api_key where index8 = $1 and digest = decode($2, 'hex')",
    [index8, digest],
  )
  if (rows.length !== 1) throw new Error(`${rows.length} keys ${index8}`)
}

/** Each as if it came for the first time. */
function admit({ admission, keys }: Place, n: number, size: number): Promise<unknown> {
  const batch = Array.from({ length: size }, (_, i) => keys[(n * size + i) % ASKED])
  return admitAll(admission, batch as AskingKey[], { introduced: false })
}
