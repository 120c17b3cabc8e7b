import assert from "node:assert/strict"
import type { Transform } from "node:stream"
import { after, before, describe, it } from "node:test"
import { brotliDecompressSync, createBrotliDecompress, createGunzip } from "node:zlib"
import type { Lab } from "../lab.ts"
import { startLab } from "../lab.ts"
import { exchange } from "../testing/client.ts"
import { brotliSpaces } from "./hostile.ts"

describe("hostile servers", () => {
  let lab: Lab
  before(async () => {
    lab = await startLab()
  })
  after(() => lab.close())

  for (const [name, shows, because] of [
    ["slow-drip", /\r\n\r\n[\s\S]*<[\s\S]*!/, "goes on with its second byte"],
    ["garbage", /^(?!HTTP)[\s\S]*lab lab/, "is no HTTP"],
    ["two-lengths", /Content-Length: 5\r\nContent-Length: 50/, "two lengths disagree"],
    ["bad-chunks", /chunked\r\n\r\nzz\r\n/, "the chunk's size is no number"],
  ] as const) {
    it(`${name}: ${because}`, async () => {
      assert.match(await exchange(lab, name, name === "slow-drip" ? 180 : 65_536), shows)
    })
  }

  it("endless-header: past any limit and still no end of the headers", async () => {
    const text = await exchange(lab, "endless-header", 20_000)
    assert.ok(text.length >= 20_000)
    assert.ok(!text.includes("\r\n\r\n"))
  })

  it("huge-body: more than a client should take", async () => {
    assert.ok((await exchange(lab, "huge-body", 3_000_000)).length >= 3_000_000)
  })

  for (const name of ["resets-at-once", "resets-midway"]) {
    it(`${name}: the answer breaks off`, async () => {
      const text = await exchange(lab, name).catch((error: NodeJS.ErrnoException) => {
        assert.equal(error.code, "ECONNRESET")
        return ""
      })
      assert.ok(!text.includes("</html>"))
    })
  }

  for (const [name, unpacker, ratio] of [
    ["gzip-bomb", createGunzip, 500],
    ["brotli-bomb", createBrotliDecompress, 500],
  ] as const) {
    it(`${name}: unpacks to ${ratio} times what was sent, and more`, async () => {
      const text = await exchange(lab, name, 40_000)
      const body = unchunked(text.slice(text.indexOf("\r\n\r\n") + 4))
      assert.ok((await unpackedLength(unpacker(), body)) > ratio * body.length)
    })
  }

  it("the brotli parts make a whole stream, however often the middle is repeated", async () => {
    const { first, next, last } = await brotliSpaces(1_048_576)
    const spaces = brotliDecompressSync(Buffer.concat([first, next, next, next, last]))
    assert.equal(spaces.length, 4 * 1_048_576)
  })
})

/** The data of the chunks that came whole. */
function unchunked(body: string): Buffer {
  const parts: string[] = []
  for (let at = 0; at < body.length; ) {
    const line = body.indexOf("\r\n", at)
    const size = Number.parseInt(body.slice(at, line), 16)
    parts.push(body.slice(line + 2, line + 2 + size))
    at = line + 4 + size
  }
  return Buffer.from(parts.join(""), "latin1")
}

/** What comes out before the stream is missed to be whole. */
async function unpackedLength(unpacker: Transform, packed: Buffer): Promise<number> {
  let length = 0
  unpacker.on("data", (chunk: Buffer) => {
    length += chunk.length
  })
  const ended = new Promise((resolve) => unpacker.on("error", resolve).on("end", resolve))
  unpacker.end(packed)
  await ended
  return length
}
