/** Limits on strangers, under a clock that the test moves. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { Strangers } from "./strangers.ts"

const DAY_MS = 86_400_000
/** An address for each number. */
const v4 = (n: number) => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`

function make() {
  const clock = { now: 1_000 }
  const strangers = new Strangers(500, () => clock.now)
  /** @returns How many of so many were let in. */
  const ask = (count: number, address: (n: number) => string) => {
    let letIn = 0
    for (let n = 0; n < count; n++) if (strangers.take(address(n)).waitMs === 0) letIn++
    return letIn
  }
  return { clock, strangers, ask }
}

describe("strangers", () => {
  for (const [because, addresses, letIn] of [
    ["a host has its burst", () => "192.0.2.1", 100],
    [
      "IPv4 inside IPv6 is that host",
      (n: number) => (n % 2 ? "192.0.2.1" : "::ffff:192.0.2.1"),
      100,
    ],
    ["a /64 is one host", (n: number) => `2001:db8:0:7::${n.toString(16)}`, 100],
    ["however it is written", (n: number) => (n % 2 ? "2001:db8::1" : "2001:db8:0:0:1::"), 100],
    ["a /48 has four times that", (n: number) => `2001:db8:5:${n.toString(16)}::1`, 400],
    ["no address is one host", () => undefined as unknown as string, 100],
    ["all together have theirs, asking for little each", v4, 500],
    ["half of it for hosts that ask for much", (n: number) => v4(n % 5), 250],
  ] as const) {
    it(`${because}: ${letIn} of 1,000 at once`, () => {
      const { ask } = make()
      assert.equal(ask(1_000, addresses), letIn)
    })
  }

  it("leaves room for who asks for little beside twenty hosts that ask for all they can", () => {
    const { clock, ask } = make()
    for (let n = 0; n < 100; n++) {
      clock.now += 100
      ask(1_000, (m) => v4(m % 20))
      if (n < 10) continue // at first they all have asked for little
      assert.equal(
        ask(3, () => `198.51.100.${n}`),
        3,
      )
    }
  })

  it("says how long to wait, and who waits that long is served", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 300 }), fc.integer({ min: 1, max: 150 })), {
          maxLength: 4,
        }),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        (bursts, started) => {
          const { clock, strangers, ask } = make()
          clock.now = started
          for (const [ms, count] of bursts) {
            clock.now += ms
            ask(count, (n) => `2001:db8::${(n % 3).toString(16)}`)
            ask(count, v4)
          }
          const { waitMs } = strangers.take("2001:db8::1")
          if (waitMs === 0) return // let in, and used up what was there
          clock.now += waitMs
          assert.equal(strangers.take("2001:db8::1").waitMs, 0)
        },
      ),
    )
  })

  it("lets a host that is refused have all of its rate: what is refused uses up nothing", () => {
    const { clock, ask } = make()
    ask(100, () => "192.0.2.1")
    let letIn = 0
    for (let ms = 0; ms < 1_000; ms++) {
      clock.now += 1
      letIn += ask(10, () => "192.0.2.1")
    }
    assert.equal(letIn, 50)
  })

  it("says what is left", () => {
    const { strangers } = make()
    const first = strangers.take("192.0.2.1")
    assert.deepEqual([first.limit.name, first.left, first.wholeMs], ["host", 99, 20])
    for (let n = 1; n < 100; n++) strangers.take("192.0.2.1")
    const { limit, left, waitMs } = strangers.take("192.0.2.1")
    assert.deepEqual([limit.name, left, waitMs], ["host", 0, 20])
  })

  it("counts by another key after a day, and goes on", () => {
    const { clock, ask } = make()
    clock.now += DAY_MS - 1
    assert.equal(
      ask(200, () => "192.0.2.1"),
      100,
    )
    clock.now += 1
    assert.equal(
      ask(200, () => "192.0.2.1"),
      100,
      "the same host is another digest",
    )
    assert.equal(
      ask(200, () => "192.0.2.1"),
      0,
      "within the day it is the same",
    )
  })
})
