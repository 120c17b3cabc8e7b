/**
 * Rates are exact over two instances and over the slices that they are kept in: in no stretch of time is
 * more served than the burst and what the rate gives in it.
 */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { lookupIndex } from "../../src/keys/format.ts"
import { savePlan } from "../../src/usage/plans.ts"
import { Cluster } from "./cluster.ts"
import { issue } from "./life.ts"

/** More than two slices of five seconds. */
const LASTS_MS = 11_000
const CLIENTS = 6
const PAUSE_MS = 5
const OF_TENANT = { requests_per_second: 20, burst: 12 }
const OF_KEY = { requests_per_second: 6, burst: 4 }

interface Served {
  readonly began: number
  readonly ended: number
  readonly key: string
}

describe("rates over two instances", () => {
  let cluster: Cluster
  before(async () => {
    cluster = await Cluster.open({ size: 2 })
    await cluster.admin.asOperator((tx) => savePlan(tx, "slow", OF_TENANT, "test"))
  })
  after(() => cluster?.close())

  it("of a tenant, and of a key within it: never over, and never at a stand", async () => {
    const client = await cluster.superuser()
    const tenantId = await cluster.tenant("one", "slow")
    const free = await issue(client, tenantId)
    const held = await issue(client, tenantId)
    await client.query(
      "update live.api_key set requests_per_second = $1, burst = $2 where index8 = $3",
      [OF_KEY.requests_per_second, OF_KEY.burst, lookupIndex(held)],
    )
    await client.end()
    const served: Served[] = []
    let refused = 0
    const end = performance.now() + LASTS_MS
    const asking = async (first: number) => {
      for (let turn = first; performance.now() < end; turn++) {
        const key = turn % 3 === 0 ? held : free
        const began = performance.now()
        const instance = cluster.instance(turn % 2)
        if (instance === undefined) throw new Error("the instance is gone")
        const answer = await instance.ask("/v1/analyze?domain=approve.test", { key })
        if (answer.status === 200) served.push({ began, ended: performance.now(), key })
        else {
          assert.equal(answer.status, 429, answer.text)
          refused++
        }
        await sleep(PAUSE_MS)
      }
    }
    await Promise.all(Array.from({ length: CLIENTS }, (_, n) => asking(n)))
    assert.ok(refused > 100, `more was asked for: ${refused}`)
    assert.deepEqual(over(served, OF_TENANT), [])
    const ofKey = served.filter(({ key }) => key === held)
    assert.deepEqual(over(ofKey, OF_KEY), [])
    for (const list of [served, ofKey]) {
      const late = list.filter(({ began }) => began > end - LASTS_MS / 4)
      assert.ok(late.length > 1, "and served to the end")
    }
  })
})

/** @returns Stretches in which more was served than may be, in words. */
function over(list: readonly Served[], rate: typeof OF_TENANT): string[] {
  const sorted = list.toSorted((a, b) => a.ended - b.ended)
  return sorted.flatMap((_, from) => {
    let began = Number.POSITIVE_INFINITY
    return sorted.slice(from).flatMap((last, n) => {
      began = Math.min(began, last.began)
      const seconds = (last.ended - began) / 1_000
      const most = rate.burst + rate.requests_per_second * seconds
      return n + 1 > most + 1e-3
        ? [`${n + 1} in ${seconds.toFixed(3)} s, of ${most.toFixed(2)}`]
        : []
    })
  })
}
