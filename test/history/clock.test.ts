/** The database's own clock jumps, and comes to the end of a month, while several instances are asked. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import type pg from "pg"
import { savePlan } from "../../src/usage/plans.ts"
import { addUsageDays } from "../usage-days.ts"
import type { Charged } from "./charges.ts"
import { Cluster } from "./cluster.ts"
import { issue } from "./life.ts"
import { faketimeIsMissing, ServerClock } from "./server-clock.ts"
import type { Asker } from "./watch.ts"
import { assertKept, assertSettled, watch } from "./watch.ts"

const HOUR_MS = 3_600_000
const INSTANCES = 2
const ENOUGH = { units_per_month: 1_000_000, requests_per_second: 5_000, burst: 5_000 }
const SLOW = { requests_per_second: 5, burst: 10 }
const UNITS = 60
const CLIENTS = 24

describe("the clock of the database", { skip: await faketimeIsMissing() }, () => {
  let cluster: Cluster
  let clock: ServerClock
  let client: pg.Client
  before(async () => {
    cluster = await Cluster.open({ size: INSTANCES })
    clock = await ServerClock.of(cluster)
    client = await cluster.superuser()
    await addUsageDays(client, 0, -40) // the next month may be so far away
  })
  after(async () => {
    await client?.end()
    await cluster?.close()
    clock?.close()
  })

  async function asker(name: string, plan: Parameters<typeof savePlan>[2]): Promise<Asker> {
    await cluster.admin.asOperator((tx) => savePlan(tx, name, plan, "test"))
    const tenantId = await cluster.tenant(name, name)
    return { tenantId, key: await issue(client, tenantId) }
  }

  async function serverNow(): Promise<number> {
    const { rows } = await client.query<{ ms: string }>(
      "select extract(epoch from clock_timestamp()) * 1000 as ms",
    )
    return Number(rows[0]?.ms)
  }

  it("goes on by an hour, back by two, and on again: all are served, and charged as answered", async () => {
    const askers = [await asker("one", ENOUGH), await asker("other", ENOUGH)]
    const answers: Charged[] = []
    const watched = await watch(cluster, askers, answers, async () => {
      for (const hours of [1, -1, 0]) {
        clock.set(hours * HOUR_MS)
        const off = (await serverNow()) - Date.now() - hours * HOUR_MS
        assert.ok(Math.abs(off) < HOUR_MS / 60, `the clock was set: ${off} ms`)
        await sleep(700)
      }
    })
    assertKept(watched)
    const statuses = new Set(watched.seen.map(({ answer }) => answer.status))
    assert.deepEqual([...statuses], [200])
    await assertSettled(cluster, askers, answers)
  })

  it("a rate locks nobody out, and gives a burst a jump at most", async () => {
    const { key } = await asker("slow", SLOW)
    let served = 0
    const each: number[] = []
    const began = performance.now()
    const jumps = [0, 1, -1, 0]
    for (const hours of jumps) {
      clock.set(hours * HOUR_MS)
      const before = served
      const end = performance.now() + 1_500
      while (performance.now() < end) {
        const { status } = await ask(served, key)
        if (status === 200) served++
        else await sleep(20)
      }
      each.push(served - before)
      assert.ok(served > before, `served at ${hours} hours`)
    }
    const seconds = (performance.now() - began) / 1_000
    const most = SLOW.burst * jumps.length + Math.ceil(SLOW.requests_per_second * seconds)
    assert.ok(served <= most, `${served} of ${most}: ${each}`)
  })

  it("at the end of a month each month serves its units, none too many", async () => {
    const months = [
      await asker("spent", { units_per_month: UNITS }),
      await asker("also", { units_per_month: UNITS }),
    ]
    const now = new Date()
    const end = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)
    clock.set(end - 4_000 - Date.now())
    const stop = performance.now() + 7_000
    let told = 0
    const asking = async (n: number) => {
      for (let turn = n; performance.now() < stop; turn++) {
        const { status, headers } = await ask(turn, months[turn % months.length]?.key ?? "")
        assert.ok(status === 200 || status === 429, String(status))
        if (status === 429) {
          told++
          await sleep(10)
          const seconds = Number(headers["retry-after"])
          assert.ok(seconds >= 1, `Retry-After ${seconds}`)
        }
      }
    }
    await Promise.all(Array.from({ length: CLIENTS }, (_, n) => asking(n)))
    assert.ok(told > 0, "their units were spent")
    const { rows } = await client.query(
      `select u.tenant_id, date_trunc('month', u.at at time zone 'UTC') as month,
          sum(u.units)::integer as units, count(*) filter (where u.status = 200)::integer as served
        from live.usage u where u.tenant_id = any ($1) group by 1, 2 order by 2`,
      [months.map(({ tenantId }) => tenantId)],
    )
    const spent = { units: UNITS, served: UNITS }
    assert.deepEqual(
      rows.map(({ units, served }) => ({ units, served })),
      Array(4).fill(spent),
    )
    const { rows: counted } = await client.query(
      "select tenant_id, month, units::integer from live.charge where tenant_id = any ($1)",
      [months.map(({ tenantId }) => tenantId)],
    )
    assert.deepEqual(
      counted.map(({ units }) => units),
      Array(4).fill(UNITS),
    )
    clock.set(0)
  })

  function ask(turn: number, key: string) {
    const instance = cluster.instance(turn % INSTANCES)
    if (instance === undefined) throw new Error("the instance is gone")
    return instance.ask("/v1/analyze?domain=approve.test", { key })
  }
})
