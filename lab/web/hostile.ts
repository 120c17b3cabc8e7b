/**
 * HTTP answers that no honest server gives: never-ending, oversized, malformed. Nothing here may
 * cost the lab much: bodies are streamed under backpressure and made when first asked for.
 */
import type { Writable } from "node:stream"
import { setImmediate } from "node:timers/promises"
import { constants, createBrotliCompress, gzipSync } from "node:zlib"
import type { Answer } from "./answer.ts"

const MEGABYTE = 1_048_576

/** One byte of the body every half second, for ever. */
export const drip: Answer = {
  kind: "http",
  respond(_request, response) {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" })
    response.write("<")
    forEver(response, 500, "!")
  },
}

/** A kilobyte of headers every 5 ms, for ever. */
export const endlessHeader: Answer = {
  kind: "raw",
  talk(stream) {
    stream.write("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n")
    forEver(stream, 5, `x-padding: ${"a".repeat(1000)}\r\n`)
  },
}

/** A hundred megabytes of page. */
export const hugeBody: Answer = {
  kind: "http",
  respond(_request, response) {
    const chunk = Buffer.alloc(MEGABYTE, "<p>all of it</p>\n")
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" })
    repeat(response, chunk, 100)
  },
}

let gzipMember: Buffer | undefined
let brotliParts: ReturnType<typeof brotliSpaces> | undefined

/** Ten gigabytes of spaces as ten megabytes of gzip members (RFC 1952 §2.2). */
export const gzipBomb: Answer = {
  kind: "http",
  respond(_request, response) {
    gzipMember ??= gzipSync(Buffer.alloc(16 * MEGABYTE, " "))
    response.writeHead(200, { "content-type": "text/html", "content-encoding": "gzip" })
    repeat(response, gzipMember, 640)
  },
}

/** Ten gigabytes of spaces as one megabyte of brotli. */
export const brotliBomb: Answer = {
  kind: "http",
  respond(_request, response) {
    response.writeHead(200, { "content-type": "text/html", "content-encoding": "br" })
    brotliParts ??= brotliSpaces(8 * MEGABYTE)
    brotliParts.then(({ first, next, last }) => {
      response.write(first)
      repeat(response, next, 1279, last)
    })
  },
}

/**
 * A brotli stream (RFC 7932) of spaces in parts, each of `length` when decompressed. With its
 * window full of spaces an encoder gives the same meta-blocks for the same input, so `next` may
 * be repeated at will.
 */
export async function brotliSpaces(
  length: number,
): Promise<{ first: Buffer; next: Buffer; last: Buffer }> {
  const encoder = createBrotliCompress({
    params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_LGWIN]: 16 },
  })
  let chunks: Buffer[] = []
  encoder.on("data", (chunk: Buffer) => chunks.push(chunk))
  const part = async () => {
    chunks = []
    encoder.write(Buffer.alloc(length, " "))
    await new Promise<void>((resolve) => encoder.flush(resolve))
    await setImmediate() // the flush is told before its last chunk is given
    return Buffer.concat(chunks)
  }
  const first = await part()
  const next = await part()
  encoder.destroy()
  return { first, next, last: Buffer.from([0x03]) }
}

/** Sends these bytes in answer to whatever comes, then ends the connection. */
export function bytes(text: string): Answer {
  return { kind: "raw", talk: (stream) => void stream.end(text, "latin1") }
}

/** The first bytes of an answer, then a reset. */
export const resetsMidway: Answer = {
  kind: "raw",
  talk(stream) {
    stream.write("HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n<html>", () => stream.destroy())
  },
}

function forEver(stream: Writable, everyMs: number, text: string): void {
  const timer = setInterval(() => {
    if (!stream.writableNeedDrain) stream.write(text)
  }, everyMs)
  stream.on("close", () => clearInterval(timer))
}

function repeat(stream: Writable, chunk: Buffer, times: number, last?: Buffer): void {
  let left = times
  const more = () => {
    while (left > 0 && !stream.destroyed) {
      left -= 1
      if (!stream.write(chunk)) {
        stream.once("drain", more)
        return
      }
    }
    if (left === 0) stream.end(last)
  }
  more()
}
