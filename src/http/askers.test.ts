import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Askers } from "./askers.ts"

const HOUR_MS = 3_600_000

describe("requests for keys of one address", () => {
  for (const [first, second, isSame, because] of [
    ["192.0.2.1", "192.0.2.1", true, "the same"],
    ["192.0.2.1", "::ffff:192.0.2.1", true, "the same, as a socket of both families has it"],
    ["2001:db8::1", "2001:db8::ffff:2", true, "of one /64, which a host chooses from"],
    ["192.0.2.1", "192.0.2.2", false, "another"],
    ["2001:db8::1", "2001:db8:0:1::1", false, "another /64"],
    [undefined, "192.0.2.1", false, "a connection that is gone"],
  ] as const) {
    it(`${first} and ${second} count ${isSame ? "as one" : "apart"}: ${because}`, () => {
      const askers = new Askers(1, () => 0)
      assert.equal(askers.take(first), 0)
      assert.equal(askers.take(second) > 0, isSame)
    })
  }

  it("as many a day as there may be, then it is told how long to wait, and that is true", () => {
    let now = 5 * HOUR_MS
    const askers = new Askers(3, () => now)
    now += HOUR_MS
    assert.deepEqual(
      [1, 2, 3, 4, 5].map(() => askers.take("192.0.2.1")),
      [0, 0, 0, 23 * 3_600, 23 * 3_600],
    )
    now += 23 * HOUR_MS
    assert.equal(askers.take("192.0.2.1"), 0)
  })

  it("a clock that goes back locks nobody out", () => {
    let now = 100 * HOUR_MS
    const askers = new Askers(1, () => now)
    askers.take("192.0.2.1")
    now -= HOUR_MS
    assert.equal(askers.take("192.0.2.1"), 0)
  })
})
