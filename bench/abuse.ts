/**
 * What looking for abuse costs: a look with a month of a thousand tenants in place, and a request's
 * part of counting networks.
 *
 * `bin/node bench/abuse.ts [--tenants 1000] [--minute 60000]`. The month is 28 days of hours of two keys
 * a tenant; each look finds `minute` new usage rows, of every tenant. A fifth of the tenants passes a
 * floor each hour, so that its history is read.
 */
import { parseArgs } from "node:util"
import { Networks } from "../src/usage/abuse/networks.ts"
import { Watcher } from "../src/usage/abuse/watcher.ts"
import { createDatabase } from "../test/postgres.ts"

const LIMIT_LOOK_SHARE = 0.05
const LIMIT_SEE_NS = 250
const LOOKS = 7

const { values } = parseArgs({
  options: {
    tenants: { type: "string", default: "1000" },
    minute: { type: "string", default: "60000" },
  },
})
const tenants = Number(values.tenants)
const minute = Number(values.minute)

const db = await createDatabase()
try {
  await db.asSuperuser(async (client) => {
    await client.query(
      `insert into platform.tenant (id, name_index, sealed_name)
        select id, uuid_send(id), '' from (
          select ('0193c000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid as id
            from generate_series(1, $1::int) n) t`,
      [tenants],
    )
    await client.query(
      `insert into live.watch_hour
        select t.id, date_trunc('hour', now(), 'UTC') - h * interval '1 hour', k.id, 500 + h % 24, 100, 0, 0
          from generate_series(0, 671) h, platform.tenant t,
            lateral (values (t.id), (('1' || substr(t.id::text, 2))::uuid)) k(id)`,
    )
    // A fifth asks for more than the floor in this hour.
    await client.query(
      `update live.watch_hour set requests = 3000
        where hour >= date_trunc('hour', now(), 'UTC') and ('x' || right(tenant_id::text, 4))::bit(16)::int % 5 = 0`,
    )
    await client.query("analyze live.watch_hour")
    const [{ rows, bytes }] = (
      await client.query(
        "select count(*)::int as rows, pg_total_relation_size('live.watch_hour') as bytes from live.watch_hour",
      )
    ).rows
    console.log(`${rows} hours of keys in place, ${Math.round(bytes / 1e6)} MB`)
  })
  const times: number[] = []
  const cpus: number[] = []
  const watcher = new Watcher({
    database: db.database,
    now: Date.now,
    everySeconds: 60,
    throttle: true,
    found: () => {},
    failed: (error) => {
      throw error
    },
  })
  for (let look = 0; look < LOOKS; look++) {
    await db.asSuperuser(async (client) => {
      await client.query(
        `insert into live.usage (tenant_id, request_id, key_id, at, route, status, cache_hit, units, plan)
          select t.id, gen_random_uuid(), t.id, now() - interval '10 seconds', 1, 200, true, 1, 'x'
            from (select id, row_number() over () as n from platform.tenant) t,
              generate_series(1, greatest(1, $1::int / $2::int))`,
        [minute, tenants],
      )
      await client.query(
        "update platform.watch_turn set looked_at = '-infinity', counted_to = now() - interval '60 seconds'",
      )
    })
    const cpu = process.cpuUsage()
    const began = performance.now()
    await watcher.look()
    times.push(performance.now() - began)
    const { user, system } = process.cpuUsage(cpu)
    cpus.push((user + system) / 1_000)
    await db.asSuperuser((client) => client.query("delete from live.usage"))
  }
  const [first = 0, ...later] = times
  const median = later.toSorted((a, b) => a - b)[later.length >> 1] ?? 0
  const share = median / 60_000
  console.log(
    `a look: ${median.toFixed(0)} ms, the first of an hour ${first.toFixed(0)} ms; CPU of the API ${Math.round(cpus.at(-1) ?? 0)} ms, first ${Math.round(cpus[0] ?? 0)} ms: ${(100 * share).toFixed(2)} % of a minute (limit ${100 * LIMIT_LOOK_SHARE} %)`,
  )

  const networks = new Networks({
    database: db.database,
    schema: "live",
    secretOf: (salt) => salt.toString("hex"),
    now: Date.now,
    everySeconds: 60,
  })
  await networks.flush()
  // 256 connections of as many networks, each with its key, as clients have them.
  const clients = Array.from({ length: 256 }, (_, n) => ({
    caller: { tenantId: "t", keyId: `key ${n % 200}` },
    connection: { remoteAddress: `10.${n}.0.1` },
  }))
  const calls = 5_000_000
  let nanoseconds = 0
  for (const counted of [false, true]) {
    const began = performance.now()
    for (let n = 0; n < calls; n += clients.length) {
      for (const { caller, connection } of clients) networks.see(caller, connection)
    }
    if (counted) nanoseconds = ((performance.now() - began) * 1e6) / calls
  }
  console.log(`a request's part: ${nanoseconds.toFixed(0)} ns (limit ${LIMIT_SEE_NS} ns)`)
  if (share > LIMIT_LOOK_SHARE || nanoseconds > LIMIT_SEE_NS) process.exitCode = 1
} finally {
  await db.drop()
}
