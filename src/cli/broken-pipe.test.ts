import assert from "node:assert/strict"
import { EventEmitter } from "node:events"
import { describe, it } from "node:test"
import { outliveReader } from "./broken-pipe.ts"

describe("a stream whose reader may leave", () => {
  const stream = new EventEmitter()
  outliveReader(stream)

  it("goes on when the reader has left", () => {
    stream.emit("error", Object.assign(new Error("write EPIPE"), { code: "EPIPE" }))
  })

  it("fails by anything else", () => {
    const full = Object.assign(new Error("no space"), { code: "ENOSPC" })
    assert.throws(() => stream.emit("error", full), full)
  })
})
