/**
 * Failover to a promoted standby: by itself, and with a synchronous one without losing what was
 * acknowledged. With an asynchronous one it is lost, and both health and doctor say so before.
 */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { seeded } from "../kills/random.ts"
import type { Charged } from "./charges.ts"
import { ask } from "./clients.ts"
import { History } from "./history.ts"
import { issue, newSlots, operate } from "./life.ts"
import { Pair } from "./pair.ts"
import type { Asker } from "./watch.ts"
import { assertKept, assertSettled, DEADLINE_MS, watch } from "./watch.ts"

const INSTANCES = 2
const OPERATORS = 4
const KEYS = 12
const CLIENTS = 8
describe("failover to a synchronous standby", () => {
  let pair: Pair
  const askers: Asker[] = []
  const answers: Charged[] = []
  before(async () => {
    pair = await Pair.open(INSTANCES)
    await pair.standby.setSynchronous(true)
    const client = await pair.cluster.superuser()
    for (const name of ["one", "two"]) {
      const tenantId = await pair.cluster.tenant(name)
      askers.push({ tenantId, key: await issue(client, tenantId) })
    }
    await client.end()
  })
  after(() => pair.close())

  it("health and doctor say that nothing is lost by it", async () => {
    const { health, doctor, advice } = await pair.told()
    assert.match(health, /a synchronous standby: .*loses nothing/)
    assert.match(doctor, /a synchronous standby/)
    assert.equal(advice, undefined)
  })

  it("while the standby is away nothing is acknowledged, and then all goes on", async () => {
    const watched = await watch(pair.cluster, askers, answers, async () => {
      await pair.standby.link.set("refused")
      await sleep(DEADLINE_MS + 500)
      const { doctor } = await pair.told()
      assert.match(doctor, /synchronous standby is away/)
      await pair.standby.link.set("open")
      await pair.standby.setSynchronous(true) // waits for it
    })
    assertKept(watched)
    assert.ok(watched.seen.some(({ answer }) => answer.status === 503))
  })

  it("the primary is killed under load: no acknowledged write is lost", async (t) => {
    const { cluster } = pair
    const random = seeded()
    const history = new History()
    const tenants = [await cluster.tenant("three"), await cluster.tenant("four")]
    const slots = newSlots(history, tenants, KEYS)
    let over = false
    const isOver = () => over
    const others = [
      ...Array.from({ length: OPERATORS }, (_, n) => {
        const own = slots.filter((__, slot) => slot % OPERATORS === n)
        return operate(cluster, history, random, own, isOver)
      }),
      ...Array.from({ length: CLIENTS }, () => ask(cluster, history, random, slots, isOver)),
    ]
    const watched = await watch(cluster, askers, answers, async () => {
      await sleep(1_000)
      return pair.failOver()
    })
    await sleep(500)
    over = true
    await Promise.all(others)
    t.diagnostic(
      JSON.stringify({
        seed: random.seed,
        tookMs: Math.round(watched.tookMs),
        changes: history.changes,
        ...Object.fromEntries(history.answers),
      }),
    )
    assertKept(watched)
    assert.ok(watched.seen.some(({ answer }) => answer.status === 503))
    assert.deepEqual(history.faults(), [], `seed ${random.seed}`)
    await assertSettled(cluster, askers, answers)
  })

  it("health says that there is no standby any more", async () => {
    const { health, doctor } = await pair.told()
    assert.match(health, /no standby is seen/)
    assert.match(doctor, /no standby is seen.*backup/)
  })
})

describe("failover to an asynchronous standby", () => {
  let pair: Pair
  before(async () => {
    pair = await Pair.open(1)
  })
  after(() => pair.close())

  it("health and doctor say that what was acknowledged can be lost", async () => {
    const { health, doctor, advice } = await pair.told()
    assert.match(health, /asynchronous standby: .*a revoked key may work again/)
    assert.match(doctor, /asynchronous standby/)
    assert.match(advice ?? "", /synchronous_standby_names/)
  })

  it("an acknowledged revocation is lost, and the checker of histories finds it", async () => {
    const { cluster, standby } = pair
    const client = await cluster.superuser()
    const history = new History()
    const [slot] = newSlots(history, [await cluster.tenant("one")], 1)
    if (slot === undefined) throw new Error("no key")
    const key = await issue(client, slot.tenantId)
    const good = { ...slot.state, exists: true }
    history.begin(key, good)
    await standby.caughtUp()
    await standby.link.set("refused")
    const began = performance.now()
    await client.query("update live.api_key set revoked_at = clock_timestamp()")
    history.changed(key, { ...good, revoked: true }, began, performance.now())
    client.on("error", () => {}) // it goes with its server
    await pair.failOver()
    for (let tries = 0; history.size === 0 && tries < 100; tries++) {
      const asked = performance.now()
      const answer = await cluster.instance(0)?.ask("/v1/usage", { key })
      const ended = performance.now()
      if (answer?.status !== 200) await sleep(50)
      else history.asked({ key, needs: 2, began: asked, ended, answer: "SERVED", instance: 0 })
    }
    assert.match(history.faults().join("\n"), /answered SERVED, not KEY_REVOKED/)
    await client.end().catch(() => {})
  })
})
