/**
 * Finding a key among ten million, against finding one among ten thousand.
 *
 * `bin/node bench/key-lookup.ts [--keys 10000000] [--calls 4000]`. Two databases of one server, by
 * turns: the plain index look-up, and the admission statement for one request and for a batch of
 * 100, as the program sends it. Ten million keys take about 4 GB of disk, removed at the end.
 */
import { createHash } from "node:crypto"
import { parseArgs } from "node:util"
import type pg from "pg"
import { Admission } from "../src/admission/admission.ts"
import type { Arrival } from "../src/admission/batch.ts"
import { newUuid } from "../src/core/ids.ts"
import { Problem } from "../src/core/problem.ts"
import { runStatement } from "../src/db/connection.ts"
import type { Database } from "../src/db/database.ts"
import { medians, openScratch } from "./scratch.ts"

const LIMIT = 1.3
const FEW = 10_000
const KEYS_A_TENANT = 100
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

const scratch = await openScratch()
try {
  const [small, large] = [await open("few", FEW), await open("many", many)]
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
} finally {
  await scratch.close()
}

interface Place {
  readonly client: pg.Client
  readonly admission: Admission
  readonly arrivals: readonly Omit<Arrival, "requestId">[]
}

async function open(name: string, keys: number): Promise<Place> {
  const began = performance.now()
  await scratch.create(name)
  const client = await scratch.connect(name)
  await fill(client, keys)
  const arrivals = Array.from({ length: ASKED }, (_, n) => {
    const digest = createHash("sha256")
      .update(String(Math.floor((n * keys) / ASKED)))
      .digest("hex")
    return { index8: digest.slice(0, 8), digest, route: 1, cost: 1, scope: 1 }
  })
  // As the program has it: only whom a key belongs to is known beforehand, never whether it is good.
  const database = {
    call: async (text: string, args: unknown[]) => (await runStatement(client, text, args)).rows,
  } as unknown as Database
  const place = { client, admission: new Admission(database, "live"), arrivals }
  for (let n = 0; n < ASKED; n++) await lookUp(place, n)
  console.log(`${keys} keys in ${((performance.now() - began) / 1_000).toFixed(0)} s`)
  return place
}

async function fill(client: pg.Client, keys: number): Promise<void> {
  const uuid = (n: string) => `lpad(to_hex(${n}), 32, '0')::uuid`
  await client.query(`
    insert into platform.tenant (id, name_index, sealed_name)
      select ${uuid("t")}, decode(md5(t::text), 'hex'), '\\x00'
      from generate_series(0, ${keys / KEYS_A_TENANT - 1}) t;
    alter table live.api_key drop constraint api_key_pkey; -- made again at the end, which is quicker
    drop index live.api_key_index8;
    set session_replication_role = replica; -- each key's tenant is there: not asked ten million times
    insert into live.api_key (tenant_id, id, sealed_name, index8, digest)
      select ${uuid(`k / ${KEYS_A_TENANT}`)}, ${uuid("k")}, decode(repeat('00', 40), 'hex'),
        left(encode(d, 'hex'), 8), d
      from (select k, sha256(k::text::bytea) as d from generate_series(0, ${keys - 1}) k offset 0) s;
    set session_replication_role = default;
    set maintenance_work_mem = '512MB';
    alter table live.api_key add primary key (tenant_id, id);
    create index api_key_index8 on live.api_key (index8);
  `)
  for (const table of ["platform.tenant", "live.api_key"])
    await client.query(`vacuum analyze ${table}`)
}

async function lookUp({ client, arrivals }: Place, n: number): Promise<void> {
  const { index8, digest } = arrivals[n % ASKED] ?? { index8: "", digest: "" }
  const { rows } = await runStatement(
    client,
    "select tenant_id, id, revoked_at from live.api_key where index8 = $1 and digest = decode($2, 'hex')",
    [index8, digest],
  )
  if (rows.length !== 1) throw new Error(`${rows.length} keys ${index8}`)
}

function admit({ admission, arrivals }: Place, n: number, size: number): Promise<unknown> {
  return Promise.all(
    Array.from({ length: size }, (_, i) => {
      const arrival = arrivals[(n * size + i) % ASKED]
      if (arrival === undefined) throw new Error("nobody arrives")
      return new Promise<void>((resolve, reject) => {
        const outcome = { status: 200, latencyBucket: 0, cacheHit: true }
        admission.admit({ ...arrival, requestId: newUuid(), outcome }, (result) =>
          result instanceof Problem ? reject(result) : resolve(),
        )
      })
    }),
  )
}
