import assert from "node:assert/strict"
import { createSecretKey, randomBytes } from "node:crypto"
import { describe, it } from "node:test"
import fc from "fast-check"
import { Problem } from "../core/problem.ts"
import type { Place } from "./sealing.ts"
import { generationOf, openSealed, sealValue } from "./sealing.ts"

const KEY = createSecretKey(Buffer.alloc(32, 7))
const PLACE: Place = {
  table: "live.analysis",
  column: "sealed",
  tenantId: "0193a000-0000-7000-8000-00000000000a",
  rowId: "0193a000-0000-7000-8000-0000000000aa",
}

describe("sealed values", () => {
  it("open where they were sealed, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 65_535 }), (text, n) => {
        const sealed = sealValue(KEY, n, PLACE, text)
        assert.equal(openSealed(KEY, PLACE, sealed), text)
        assert.equal(generationOf(sealed), n)
      }),
    )
  })

  it("have the form that is written down: version, generation, nonce, ciphertext, tag", () => {
    const sealed = sealValue(KEY, 258, PLACE, "four")
    assert.equal(sealed.subarray(0, 3).toString("hex"), "010102")
    assert.equal(sealed.length, 3 + 12 + 4 + 16)
  })

  it("never look the same twice, over more than one filling of the nonces", () => {
    const seen = new Set(
      Array.from({ length: 3_000 }, () => sealValue(KEY, 1, PLACE, "").toString("hex", 3, 15)),
    )
    assert.equal(seen.size, 3_000)
  })

  for (const [what, change] of [
    ["another tenant", { tenantId: "0193a000-0000-7000-8000-00000000000b" }],
    ["another row", { rowId: "0193a000-0000-7000-8000-0000000000ab" }],
    ["another table", { table: "sandbox.analysis" }],
    ["another column", { column: "domain" }],
  ] as const) {
    it(`do not open moved to ${what}`, () => {
      refuses(() => openSealed(KEY, { ...PLACE, ...change }, sealValue(KEY, 1, PLACE, "value")))
    })
  }

  it("do not open with another key", () => {
    const sealed = sealValue(createSecretKey(randomBytes(32)), 1, PLACE, "value")
    refuses(() => openSealed(KEY, PLACE, sealed))
  })

  it("do not open with any bit flipped, but the generation's, which chooses the key", () => {
    const sealed = sealValue(KEY, 1, PLACE, "value")
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = Buffer.from(sealed)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      if (bit >> 3 === 1 || bit >> 3 === 2) assert.notEqual(generationOf(flipped), 1)
      else refuses(() => openSealed(KEY, PLACE, flipped))
    }
  })

  it("do not open cut short, at any length", () => {
    const sealed = sealValue(KEY, 1, PLACE, "value")
    for (let length = 0; length < sealed.length; length++) {
      refuses(() => openSealed(KEY, PLACE, sealed.subarray(0, length)))
    }
  })
})

/** The message must not hold what was sealed. */
function refuses(act: () => unknown): void {
  assert.throws(act, (error) => {
    assert.ok(error instanceof Problem && error.code === "INTERNAL")
    assert.doesNotMatch(String(error.cause), /value$/)
    return true
  })
}
