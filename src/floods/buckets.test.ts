import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { Digest } from "./addresses.ts"
import { AddressDigests } from "./addresses.ts"
import { Buckets } from "./buckets.ts"

describe("buckets", () => {
  it("hold a million digests in the memory of the first", () => {
    const buckets = new Buckets(65_536)
    const digest = (n: number): Digest => [Math.imul(n, 2_654_435_761) >>> 0, n, n ^ 0x5bd1]
    buckets.set(digest(0), 1, 0)
    const before = memory()
    for (let n = 1; n <= 1_000_000; n++) buckets.set(digest(n), 1_000, n / 1_000)
    assert.ok(memory() - before < 1_000_000, "a byte a digest would be more")
    let found = 0
    for (let n = 0; n <= 1_000_000; n++) if (buckets.ahead(digest(n), 0) > 0) found++
    assert.ok(found <= 65_536 && found > 60_000, String(found))
  })

  it("forget who is least ahead, and keep who floods", () => {
    const buckets = new Buckets(8)
    const flooder: Digest = [1, 1, 1]
    buckets.set(flooder, 2_000, 0)
    for (let n = 2; n < 1_000; n++) buckets.set([n, n, n], 20, 0)
    assert.equal(buckets.ahead(flooder, 0), 2_000)
    assert.equal(buckets.ahead([500, 500, 500], 0), 0)
  })

  it("tell two digests of one place apart", () => {
    const buckets = new Buckets(8)
    buckets.set([1, 1, 1], 10, 0)
    assert.equal(buckets.ahead([1, 1, 2], 0), 0)
    assert.equal(buckets.ahead([1, 2, 1], 0), 0)
    assert.equal(buckets.ahead([1, 1, 1], 4), 6)
    assert.equal(buckets.ahead([1, 1, 1], 40), 0)
  })
})

describe("digests of addresses", () => {
  it("are another day's others, and say nothing of the address", () => {
    const [one, other] = [new AddressDigests(), new AddressDigests()]
    assert.deepEqual(one.of("192.0.2.1"), one.of("192.0.2.1"))
    assert.notDeepEqual(one.of("192.0.2.1").host, other.of("192.0.2.1").host)
    assert.doesNotMatch(JSON.stringify(one), /192/)
  })

  it("follow HMAC-SHA-256 under the key", () => {
    // openssl mac -digest SHA256 -macopt hexkey:00…00 HMAC, of `192.0.2.1`
    assert.deepEqual(
      new AddressDigests(new Uint8Array(32)).of("192.0.2.1").host,
      [0xcded28d5, 0x0d0e4e30, 0x57f9e81e],
    )
  })
})

function memory(): number {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
