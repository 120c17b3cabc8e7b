import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { findKeys, generateKey, isKey, readKey } from "./format.ts"

/** A fixed key, made of zero bytes, so that the format cannot drift: the CRC is checked by hand. */
const ZEROS = generateKey("test", (size) => new Uint8Array(size))

describe("API key format", () => {
  it("K1: a key is its prefix, 43 base62 characters and a 6-character checksum", () => {
    assert.match(generateKey("live"), /^zt_live_[0-9A-Za-z]{49}$/)
    assert.match(generateKey("test"), /^zt_test_[0-9A-Za-z]{49}$/)
  })

  it("the checksum is CRC-32 in base62, most significant digit first", () => {
    // crc32("zt_test_" + "0" × 43), by Python's binascii
    assert.equal(ZEROS, `zt_test_${"0".repeat(43)}${base62(0x98334f4d)}`)
  })

  it("every changed character is refused by the checksum alone", () => {
    const key = generateKey("live")
    for (let i = 0; i < key.length; i++) {
      const other = key[i] === "A" ? "B" : "A"
      assert.equal(isKey(key.slice(0, i) + other + key.slice(i + 1)), false, `at ${i}`)
    }
  })

  for (const [text, because] of [
    ["", "nothing"],
    [`${ZEROS} `, "a trailing space"],
    [ZEROS.slice(0, -1), "one character short"],
    [`${ZEROS}0`, "one character long"],
    [ZEROS.replace("test", "prod"), "no such environment"],
    [`${ZEROS.slice(0, -1)}\n`, "a newline at the end"],
  ] as const) {
    it(`is no key: ${because}`, () => {
      assert.equal(isKey(text), false)
      assert.equal(readKey(text), undefined)
    })
  }

  it("K2: index and digest are what is stored, and 35 secret characters lie beyond the index", () => {
    const parts = readKey(ZEROS)
    assert.deepEqual(parts, {
      environment: "test",
      index8: "00000000",
      digest: "9d95e199393e9aaafc72db9814935224a9b87941d80b79742c791ef5bffe3901",
    })
    assert.ok(35 * Math.log2(62) >= 24 * 8, "24 bytes stay secret")
  })

  it("bytes of 248 and above are drawn again, so that no character is likelier", () => {
    const bytes = [248, 255, 61, 62]
    const key = generateKey("live", (size) =>
      Uint8Array.from({ length: size }, (_, i) => bytes[i % 4] ?? 0),
    )
    assert.equal(key.slice(8, 12), "z0z0")
  })

  it("each of the 62 characters is drawn equally often (chi-squared, p > 1e-6)", () => {
    const counts = new Map<string, number>()
    for (let i = 0; i < 5_000; i++) {
      for (const c of generateKey("live").slice(8, 51)) counts.set(c, (counts.get(c) ?? 0) + 1)
    }
    const expected = (5_000 * 43) / 62
    const chi2 = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
    assert.equal(counts.size, 62)
    assert.ok(chi2 < 128, `chi-squared ${chi2} with 61 degrees of freedom`)
  })

  for (const [text, found, because] of [
    [`/v1/analyze?key=${ZEROS}&x=1`, [ZEROS], "in a query"],
    [`/${ZEROS}`, [ZEROS], "in a path"],
    [`/v1/usage?k=%7A${ZEROS.slice(1)}`, [ZEROS], "percent-encoded in part"],
    [`x${ZEROS}0`, [ZEROS], "with other letters around it"],
    [`${ZEROS} ${ZEROS}`, [ZEROS], "twice, told once"],
    [`zt_live_${"A".repeat(47)}${ZEROS}`, [ZEROS], "behind what begins like one"],
    [ZEROS.slice(0, -1), [], "cut"],
    ["zt_live_", [], "a prefix alone"],
    ["%zt%", [], "no encoding at all"],
  ] as const) {
    it(`finds ${found.length} in a text: ${because}`, () => {
      assert.deepEqual(findKeys(text), found)
    })
  }
})

function base62(n: number): string {
  const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
  let text = ""
  for (let rest = n; rest > 0; rest = Math.floor(rest / 62)) text = digits[rest % 62] + text
  return text.padStart(6, "0")
}
