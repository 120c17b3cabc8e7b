import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { findKeys, generateKey } from "../keys/format.ts"
import { keysInClear } from "./redirect.ts"

/** Anything that may stand around a key in a request target. */
const around = fc.string({ unit: fc.constantFrom(..."/?&=.%_-~:zt0") })

describe("Finding keys in a request", () => {
  it("finds every key, however the target encodes it and whatever stands around it", () => {
    fc.assert(
      fc.property(around, around, fc.boolean(), (before, after, encoded) => {
        const key = generateKey("live")
        const text = encoded ? key.replace(/./g, percent) : key
        const url = `/${before}${text}${after}`
        assert.deepEqual(keysInClear({ url, rawHeaders: [] }, findKeys), [key])
        assert.deepEqual(
          keysInClear({ url: "/", rawHeaders: ["a", `${before}${key}`] }, findKeys),
          [key],
        )
      }),
    )
  })

  it("finds none where there is none, and never throws", () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (url, rawHeaders) => {
        assert.deepEqual(keysInClear({ url, rawHeaders }, findKeys), [])
      }),
    )
  })
})

function percent(letter: string): string {
  return `%${letter.charCodeAt(0).toString(16)}`
}
