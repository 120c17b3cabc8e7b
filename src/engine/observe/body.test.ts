import assert from "node:assert/strict"
import { pipeline, Readable } from "node:stream"
import { describe, it } from "node:test"
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib"
import { bodyOf, CAP, get } from "../../../test/fetcher.ts"

describe("a body", () => {
  for (const [coding, compress] of [
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
  ] as const) {
    it(`decodes ${coding}`, async (t) => {
      const fetched = await get(t, (_, response) => {
        response.setHeader("content-encoding", coding)
        response.end(compress("hello"))
      })
      assert.equal(bodyOf(fetched), "hello")
    })

    it(`stops a ${coding} bomb at the cap`, async (t) => {
      const bomb = compress(Buffer.alloc(4 * 1024 * 1024))
      assert.ok(bomb.length < CAP, "small on the way")
      const fetched = await get(t, (_, response) => {
        response.setHeader("content-encoding", coding)
        response.end(bomb)
      })
      assert.ok("value" in fetched)
      assert.deepEqual(fetched.value.body, { unknown: "too_large" })
    })

    it(`calls garbage in ${coding} malformed`, async (t) => {
      const fetched = await get(t, (_, response) => {
        response.setHeader("content-encoding", coding)
        response.end("this is not compressed at all")
      })
      assert.ok("value" in fetched)
      assert.deepEqual(fetched.value.body, { unknown: "malformed" })
    })
  }

  it("decodes two codings, and refuses more or others", async (t) => {
    const twice = await get(t, (_, response) => {
      response.setHeader("content-encoding", "gzip, br")
      response.end(brotliCompressSync(gzipSync("hello")))
    })
    assert.equal(bodyOf(twice), "hello")
    for (const coding of ["gzip, gzip, gzip", "compress"]) {
      const fetched = await get(t, (_, response) => {
        response.setHeader("content-encoding", coding)
        response.end(gzipSync(gzipSync(gzipSync("x"))))
      })
      assert.ok("value" in fetched)
      assert.deepEqual(fetched.value.body, { unknown: "malformed" })
    }
  })

  it("takes an empty body for empty, whatever its coding", async (t) => {
    const fetched = await get(t, (_, response) => {
      response.setHeader("content-encoding", "gzip")
      response.end()
    })
    assert.equal(bodyOf(fetched), "")
  })

  it("takes a body at the cap, and not one byte more", async (t) => {
    const whole = await get(t, (_, response) => response.end(Buffer.alloc(CAP, "x")))
    assert.equal(bodyOf(whole).length, CAP)
    const more = await get(t, (_, response) => response.end(Buffer.alloc(CAP + 1, "x")))
    assert.ok("value" in more)
    assert.deepEqual(more.value.body, { unknown: "too_large" })
  })

  it("stops what is sent without ever giving a byte: a gzip file name without end", async (t) => {
    const fetched = await get(t, (_, response) => {
      response.setHeader("content-encoding", "gzip")
      response.end(
        Buffer.concat([Buffer.from("1f8b0808000000000003", "hex"), Buffer.alloc(2 * CAP, "a")]),
      )
    })
    assert.ok("value" in fetched)
    assert.deepEqual(fetched.value.body, { unknown: "too_large" })
  })

  it("stops a body without end", async (t) => {
    const fetched = await get(t, (_, response) => {
      const endless = new Readable({
        read() {
          this.push(Buffer.alloc(16 * 1024))
        },
      })
      pipeline(endless, response, () => {})
    })
    assert.ok("value" in fetched)
    assert.deepEqual(fetched.value.body, { unknown: "too_large" })
  })
})
