import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { decodeId, encodeId, newUuid } from "./ids.ts"

describe("TypeID", () => {
  for (const [uuid, suffix] of [
    ["00000000-0000-0000-0000-000000000000", "00000000000000000000000000"],
    ["00000000-0000-0000-0000-000000000001", "00000000000000000000000001"],
    ["00000000-0000-0000-0000-000000000010", "0000000000000000000000000g"],
    ["ffffffff-ffff-ffff-ffff-ffffffffffff", "7zzzzzzzzzzzzzzzzzzzzzzzzz"],
    ["0110c853-1d09-52d8-d73e-1194e95b5f19", "0123456789abcdefghjkmnpqrs"],
    ["01890a5d-ac96-774b-bcce-b302099a8057", "01h455vb4pex5vsknk084sn02q"],
  ] as const) {
    it(`the specification's vector ${suffix}`, () => {
      assert.equal(encodeId("key", uuid), `key_${suffix}`)
      assert.equal(decodeId("key", `key_${suffix}`), uuid)
    })
  }

  for (const [text, because] of [
    ["key_8zzzzzzzzzzzzzzzzzzzzzzzzz", "more than 128 bits"],
    ["key_01h455vb4pex5vsknk084sn02", "25 letters"],
    ["key_01h455vb4pex5vsknk084sn02l", "a letter outside the alphabet"],
    ["key_01H455VB4PEX5VSKNK084SN02Q", "upper case"],
    ["req_01h455vb4pex5vsknk084sn02q", "another prefix"],
    ["", "nothing"],
  ] as const) {
    it(`is no key id: ${because}`, () => assert.equal(decodeId("key", text), undefined))
  }

  it("every UUID comes back, and order is kept", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), (a, b) => {
        assert.equal(decodeId("req", encodeId("req", a)), a)
        assert.equal(encodeId("req", a) < encodeId("req", b), a < b)
      }),
    )
  })

  it("new UUIDs are version 7 and sort by time", () => {
    const uuid = newUuid()
    assert.equal(uuid[14], "7")
    assert.ok(
      Math.abs(Number.parseInt(uuid.replace("-", "").slice(0, 12), 16) - Date.now()) < 5_000,
    )
  })
})
