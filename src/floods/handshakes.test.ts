/** When handshakes begin, under a clock that the test moves. */
import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import { describe, it } from "node:test"
import { Handshakes } from "./handshakes.ts"

const DAY_MS = 86_400_000

function make(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] })
  const clock = { now: 1_000 }
  const handshakes = new Handshakes(() => clock.now)
  const begun: Record<string, number> = {}
  return {
    handshakes,
    begun,
    /** @returns How many of them may wait or begin. */
    open(address: string, count: number) {
      begun[address] ??= 0
      const begin = () => {
        begun[address] = (begun[address] ?? 0) + 1
      }
      return Array.from({ length: count }, () => handshakes.enter(address, begin)).filter(Boolean)
        .length
    },
    pass(ms: number) {
      clock.now += ms
      t.mock.timers.tick(ms)
    },
  }
}

describe("handshakes", () => {
  it("of strangers begin at once while they are few, then a hundred a second, in order", (t) => {
    const { open, begun, pass, handshakes } = make(t)
    assert.equal(open("192.0.2.1", 60), 60)
    assert.deepEqual(begun, { "192.0.2.1": 10 })
    assert.equal(handshakes.waiting, 50)
    assert.equal(handshakes.held, 50)
    pass(250)
    assert.deepEqual(begun, { "192.0.2.1": 35 })
    assert.equal(open("192.0.2.2", 1), 1)
    pass(250)
    assert.deepEqual(begun, { "192.0.2.1": 60, "192.0.2.2": 0 })
    pass(10)
    assert.deepEqual(begun, { "192.0.2.1": 60, "192.0.2.2": 1 })
    assert.equal(handshakes.waiting, 0)
  })

  for (const [because, addresses] of [
    ["one host", () => "198.51.100.1"],
    ["one /64", (n: number) => `2001:db8::${n.toString(16)}`],
  ] as const) {
    it(`of a flood from ${because} leave alone who opens few, and are bounded`, (t) => {
      const { open, begun, pass, handshakes } = make(t)
      let letIn = 0
      for (let n = 0; n < 5_000; n++) letIn += open(addresses(n), 1)
      // Those that are few, and ten seconds of the others.
      assert.equal(letIn, 64 + 10 + 1_000)
      assert.equal(handshakes.waiting, letIn - 20)
      assert.deepEqual([handshakes.held, handshakes.refused], [letIn - 20, 5_000 - letIn])
      pass(1_000)
      open("192.0.2.1", 10)
      assert.equal(begun["192.0.2.1"], 10)
      pass(9_000)
      assert.equal(handshakes.waiting, 0)
    })
  }

  it("of a host from which a good key came wait for nobody, those of others do", (t) => {
    const { open, begun, handshakes } = make(t)
    open("192.0.2.1", 300)
    open("192.0.2.2", 300)
    assert.deepEqual(begun, { "192.0.2.1": 20, "192.0.2.2": 0 })
    const connection = { remoteAddress: "::ffff:192.0.2.1" }
    handshakes.welcome(connection)
    assert.deepEqual(begun, { "192.0.2.1": 300, "192.0.2.2": 0 })
    assert.equal(open("192.0.2.1", 2_000), 2_000)
    assert.deepEqual(begun, { "192.0.2.1": 2_300, "192.0.2.2": 0 })
    assert.equal(handshakes.waiting, 300)
  })

  it("of a host begin once each, though it is welcome while they wait", (t) => {
    const { open, begun, pass, handshakes } = make(t)
    open("192.0.2.1", 50)
    handshakes.welcome({ remoteAddress: "192.0.2.1" })
    pass(20_000)
    assert.deepEqual(begun, { "192.0.2.1": 50 })
  })

  it("of a host are a stranger's again the next day, until a good key comes by another connection", (t) => {
    const { open, begun, pass, handshakes } = make(t)
    const connection = { remoteAddress: "192.0.2.1" }
    handshakes.welcome(connection)
    pass(DAY_MS)
    open("192.0.2.1", 30)
    assert.equal(begun["192.0.2.1"], 10)
    handshakes.welcome({ ...connection })
    assert.equal(begun["192.0.2.1"], 30)
  })
})
