/** Connections by host, under a clock that the test moves. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { Connections } from "./connections.ts"

const DAY_MS = 86_400_000

function make(most: number) {
  const clock = { now: 1_000 }
  return { clock, connections: new Connections(most, () => clock.now) }
}

describe("connections by host", () => {
  for (const [because, addresses, letIn] of [
    ["a host has so many", () => "192.0.2.1", 10],
    ["IPv4 inside IPv6 is that host", (n: number) => `${n % 2 ? "::ffff:" : ""}192.0.2.1`, 10],
    ["a /64 is one host", (n: number) => `2001:db8:0:7::${n.toString(16)}`, 10],
    ["two of them are two", (n: number) => `2001:db8:0:${n % 2}::1`, 20],
    ["others have theirs", (n: number) => `192.0.2.${n}`, 100],
    ["no address is one host", () => undefined, 10],
  ] as const) {
    it(`${because}: ${letIn} of 100`, () => {
      const { connections } = make(10)
      const places = Array.from({ length: 100 }, (_, n) => connections.enter(addresses(n)))
      assert.equal(places.filter((leave) => leave !== undefined).length, letIn)
      assert.equal(connections.refused, 100 - letIn)
    })
  }

  it("are what is open, whoever comes and goes in whatever order, and nothing else is remembered", () => {
    const steps = fc.array(fc.record({ host: fc.nat({ max: 3 }), leaves: fc.boolean() }))
    fc.assert(
      fc.property(steps, (all) => {
        const { connections } = make(2)
        const open = [0, 1, 2, 3].map((): (() => void)[] => [])
        for (const { host, leaves } of all) {
          const places = open[host] ?? []
          if (leaves) {
            places.shift()?.()
          } else {
            const leave = connections.enter(`192.0.2.${host}`)
            assert.equal(leave === undefined, places.length === 2)
            if (leave !== undefined) places.push(leave)
          }
          assert.equal(connections.hosts, open.filter(({ length }) => length > 0).length)
        }
      }),
    )
  })

  it("that were opened under yesterday's digest leave nothing behind", () => {
    const { clock, connections } = make(1)
    const leave = connections.enter("192.0.2.1")
    clock.now += DAY_MS
    const leaveToday = connections.enter("192.0.2.1")
    assert.equal(connections.enter("192.0.2.1"), undefined)
    assert.equal(connections.hosts, 2)
    leave?.()
    assert.equal(connections.enter("192.0.2.1"), undefined)
    leaveToday?.()
    assert.equal(connections.hosts, 0)
  })
})
