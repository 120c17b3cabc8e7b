import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { crc32c, isControlFile } from "./control-file.ts"

describe("CRC-32C", () => {
  for (const [bytes, sum] of [
    [Buffer.alloc(32), 0x8a9136aa],
    [Buffer.alloc(32, 0xff), 0x62a8ab43],
    [Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ] as const) {
    it(`of ${bytes.toString("hex")} (RFC 3720 §B.4)`, () => assert.equal(crc32c(bytes), sum))
  }
})

describe("a control file", () => {
  /** @param length - Of the structure, before its checksum. */
  const make = (length: number) => {
    const file = Buffer.alloc(8192)
    file.fill("written by a server", 0, length)
    file.writeUInt32LE(crc32c(file.subarray(0, length)), length)
    return file
  }

  it("is good at any length of its structure", () => {
    // Among these are checksums whose last byte is zero.
    for (let length = 4; length < 2048; length += 4)
      assert.ok(isControlFile(make(length)), `${length}`)
  })

  for (const [what, file] of [
    ["empty", Buffer.alloc(0)],
    ["zeroes", Buffer.alloc(8192)],
    ["noise", Buffer.alloc(8192, "random")],
    ["cut off", make(288).subarray(0, 290)],
    ["changed in one byte", Object.assign(make(288), { 100: 0 })],
  ] as const) {
    it(`${what} is none`, () => assert.equal(isControlFile(file), false))
  }
})
