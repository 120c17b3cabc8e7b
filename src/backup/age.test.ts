import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import fc from "fast-check"
import type { TestIdentity } from "../../test/backup.ts"
import { newIdentity } from "../../test/backup.ts"
import { AgeWriter, readAge } from "./age.ts"

const CHUNK = 65_536
const SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 16 * CHUNK, 17 * CHUNK + 5]
const isThere = spawnSync("age", ["--version"]).status === 0
const skip = !isThere && "AGE ITSELF WAS NOT ASKED: install Debian's package age"

describe("the age format", () => {
  let folder: string
  let path: string
  let mine: TestIdentity
  let other: TestIdentity
  let keyFile: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "zt-age-"))
    path = join(folder, "file.age")
    ;[mine, other] = await Promise.all([newIdentity(), newIdentity()])
    keyFile = join(folder, "identity.txt")
    await writeFile(keyFile, mine.identity)
  })
  after(() => rm(folder, { recursive: true }))

  const write = async (pieces: readonly Buffer[], recipients = [mine.recipient]) => {
    await using file = await open(path, "w")
    const age = await AgeWriter.start(file, recipients)
    for (const piece of pieces) await age.write(piece)
    await age.end()
    return age.bytes
  }
  const read = (identity = mine.identity) => Array.fromAsync(readAge(path, identity))

  for (const size of SIZES) {
    it(`${size} bytes come back, by age itself too`, { skip }, async () => {
      const plain = randomBytes(size)
      const bytes = await write([plain])
      assert.equal((await readFile(path)).length, bytes)
      assert.deepEqual(Buffer.concat(await read()), plain)
      const byAge = execFileSync("age", ["-d", "-i", keyFile, path], { maxBuffer: 1e8 })
      assert.deepEqual(byAge, plain)
    })

    it(`${size} bytes that age encrypted are read`, { skip }, async () => {
      const plain = randomBytes(size)
      execFileSync("age", ["-r", mine.recipient, "-o", path], { input: plain })
      assert.deepEqual(Buffer.concat(await read()), plain)
      await rm(path)
    })
  }

  it("pieces of any sizes are one stream", async () => {
    const pieces = fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(pieces, async (sizes) => {
        const plain = sizes.map((size) => randomBytes(size))
        await write(plain)
        assert.deepEqual(Buffer.concat(await read()), Buffer.concat(plain))
      }),
      { numRuns: 20 },
    )
  })

  it("opens for each recipient and nobody else", async () => {
    await write([Buffer.from("text")], [mine.recipient, other.recipient])
    for (const { identity } of [mine, other]) assert.equal(String(await read(identity)), "text")
    await assert.rejects(read((await newIdentity()).identity), /not encrypted to this identity/)
  })

  it("refuses a recipient that is none, and does not show it as anything else", async () => {
    await assert.rejects(write([], ["age1wrong"]), /'age1wrong' is not an age recipient/)
  })

  for (const [what, change, says] of [
    [
      "a last chunk cut off",
      (file: Buffer) => file.subarray(0, file.length - 1000 - 16),
      /cut off/,
    ],
    [
      "all after the header cut off",
      (file: Buffer) => file.subarray(0, file.length - 132_120 - 16),
      /cut off|damaged/,
    ],
    ["two chunks swapped", swapChunks, /damaged/],
    ["a chunk twice", (file: Buffer) => Buffer.concat([file, file.subarray(-1016)]), /damaged/],
    ["bytes after its end", (file: Buffer) => Buffer.concat([file, Buffer.alloc(20)]), /damaged/],
    ["an empty file", () => Buffer.alloc(0), /not an age file/],
    ["another file", () => Buffer.alloc(500_000, "x"), /not an age file/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await write([randomBytes(2 * CHUNK + 1000)])
      await writeFile(path, change(await readFile(path)))
      await assert.rejects(read(), (error: Error) => {
        assert.match(error.message, says)
        assert.ok(error.message.startsWith(path))
        return true
      })
    })
  }
})

/** The first two chunks of three, the last of which holds 1000 bytes. */
function swapChunks(file: Buffer): Buffer {
  const end = file.length - 1016
  const [one, two] = [end - 2 * (CHUNK + 16), end - (CHUNK + 16)]
  return Buffer.concat([
    file.subarray(0, one),
    file.subarray(two, end),
    file.subarray(one, two),
    file.subarray(end),
  ])
}
