import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { canonicalJson } from "./canonical-json.ts"

describe("JSON Canonicalization Scheme (RFC 8785)", () => {
  it("the sample of §3.2.2 and §3.2.3", () => {
    const input = {
      numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"/",
      literals: [null, true, false],
    }
    assert.equal(
      canonicalJson(input),
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
  })

  it("members sort by UTF-16 code units (§3.2.3)", () => {
    const input = {
      "\u20ac": 1,
      "\r": 2,
      "\ufb33": 3,
      "1": 4,
      "\ud83d\ude00": 5,
      "\u0080": 6,
      "\u00f6": 7,
    }
    const keys = Object.keys(JSON.parse(canonicalJson(input)))
    assert.deepEqual(
      keys.filter((key) => key !== "1"),
      ["\r", "\u0080", "\u00f6", "\u20ac", "\ud83d\ude00", "\ufb33"],
    )
    assert.ok(canonicalJson(input).startsWith('{"\\r":2,"1":4,'))
  })

  it("what JSON cannot hold is refused", () => {
    assert.throws(() => canonicalJson(Number.NaN), TypeError)
    assert.throws(() => canonicalJson([Number.POSITIVE_INFINITY]), TypeError)
    assert.throws(() => canonicalJson("\ud800"), TypeError)
  })

  it("reads back to the same value, and is the same for every order of members", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(JSON.parse(JSON.stringify(value)))
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
        assert.equal(canonicalJson(JSON.parse(text)), text)
      }),
    )
  })
})
