/**
 * C5: three instances behind a balancer. Killed ones cost what was in flight on them, and nothing else;
 * ones that are asked to stop cost nothing.
 */
import assert from "node:assert/strict"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { Agent, request } from "node:https"
import { after, before, describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { seeded } from "../kills/random.ts"
import { Balancer } from "./balancer.ts"
import { Cluster } from "./cluster.ts"
import { issue } from "./life.ts"

const INSTANCES = 3
const CLIENTS = 12
const ROUNDS = 2
/** Until the end of a killed process has come through to whoever was connected to it. */
const HEARD_MS = 1_000
/** Now and then a client comes anew. */
const REUSE = 8

interface Failure {
  readonly what: string
  readonly began: number
  readonly ended: number
  /** The port of the instance that it was on. */
  readonly way: number | undefined
}

describe("three instances behind a balancer", () => {
  let cluster: Cluster
  let balancer: Balancer
  let ca: Buffer
  let key: string
  const random = seeded()
  before(async () => {
    cluster = await Cluster.open({ size: INSTANCES, settings: () => ({ ZT_DRAIN_SECONDS: "1" }) })
    ca = readFileSync(cluster.instance(0)?.ca ?? "")
    balancer = await Balancer.open(ca)
    const client = await cluster.superuser()
    key = await issue(client, await cluster.tenant("one"))
    await client.end()
    for (let n = 0; n < INSTANCES; n++) balancer.add(cluster.instance(n)?.url ?? "")
    await allReady()
  })
  after(async () => {
    await balancer?.close()
    await cluster?.close()
  })

  const allReady = async () => {
    while (balancer.ready < INSTANCES) await sleep(20)
  }
  const comesBack = async (n: number, gone: string) => {
    balancer.remove(gone)
    await cluster.start(n)
    balancer.add(cluster.instance(n)?.url ?? "")
    await allReady()
  }

  /** Keep-alive clients that ask all the time. */
  const load = async (
    work: () => Promise<void>,
  ): Promise<{ failures: Failure[]; good: number }> => {
    const failures: Failure[] = []
    let good = 0
    let over = false
    const client = async (first: number) => {
      let agent = new Agent({ ca, keepAlive: true, maxSockets: 1 })
      for (let turn = first; !over; turn++) {
        if (turn % REUSE === 0) {
          agent.destroy()
          agent = new Agent({ ca, keepAlive: true, maxSockets: 1 })
        }
        const path = turn % 3 === 0 ? "/v1/usage" : "/v1/analyze?domain=approve.test"
        const began = performance.now()
        const sent = request(`${balancer.url}${path}`, { agent, headers: { "x-api-key": key } })
        let port: number | undefined
        sent.once("socket", (socket) => {
          if (socket.connecting) socket.once("connect", () => (port = socket.localPort))
          else port = socket.localPort
        })
        sent.on("error", () => {}).end()
        try {
          const [response] = await once(sent, "response")
          for await (const _ of response);
          if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`)
          good++
        } catch (error) {
          const ended = performance.now()
          failures.push({ what: `${path}: ${error}`, began, ended, way: balancer.wayOf(port) })
        }
        await sleep(random.next() * 60) // the others need the processor to start
      }
      agent.destroy()
    }
    const clients = Array.from({ length: CLIENTS }, (_, n) => client(n))
    try {
      await work()
    } finally {
      over = true
      await Promise.all(clients)
    }
    return { failures, good }
  }

  it("killed and added at random: no failed answer but those in flight on the killed one", async (t) => {
    const killed: { way: number; at: number }[] = []
    const { failures, good } = await load(async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await sleep(300 + random.next() * 500)
        const n = Math.floor(random.next() * INSTANCES)
        const { url = "" } = cluster.instance(n) ?? {}
        killed.push({ way: Number(new URL(url).port), at: performance.now() })
        await cluster.kill(n)
        await comesBack(n, url)
      }
    })
    t.diagnostic(JSON.stringify({ seed: random.seed, good, inFlight: failures.length }))
    const unexcused = failures.filter(
      ({ began, way }) => !killed.some((one) => one.way === way && began < one.at + HEARD_MS),
    )
    assert.deepEqual(unexcused, [], `seed ${random.seed}`)
    assert.ok(failures.length <= ROUNDS * CLIENTS)
    assert.ok(good > 100, `${good} good answers`)
  })

  it("asked to stop, and added: no failed answer at all, though nobody tries the next one", async (t) => {
    balancer.triesNext = false
    const { failures, good } = await load(async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await sleep(300 + random.next() * 500)
        const n = Math.floor(random.next() * INSTANCES)
        const { url = "" } = cluster.instance(n) ?? {}
        assert.equal(await cluster.stop(n), 0)
        await comesBack(n, url)
      }
    })
    t.diagnostic(JSON.stringify({ seed: random.seed, good }))
    assert.deepEqual(failures, [], `seed ${random.seed}`)
    assert.ok(good > 100, `${good} good answers`)
  })
})
