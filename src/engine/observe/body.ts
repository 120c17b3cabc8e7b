/**
 * The body of an HTTP response: collected and decoded, no byte past the caps.
 *
 * Decoding streams, so a bomb costs its cap and no more; the windows that a decoder may ask
 * memory for are bounded too.
 */
import type { IncomingMessage } from "node:http"
import type { Transform } from "node:stream"
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from "node:zlib"
import type { Known, Why } from "../types.ts"

/** Largest zstd window that is to be supported (RFC 9659 §3): 8 MiB, as its logarithm. */
const ZSTD_WINDOW_LOG_MAX = 23

/**
 * @param maxBytes - Cap for the bytes as sent, and again for the bytes as decoded.
 * @param done - Told once: the decoded bytes, or why there are none.
 * @returns Frees what is still held.
 */
export function readBody(
  response: IncomingMessage,
  maxBytes: number,
  done: (body: Known<Buffer>) => void,
): () => void {
  const decoders = decodersOf(response)
  if (decoders === undefined) {
    done({ unknown: "malformed" })
    return () => {}
  }
  const chunks: Buffer[] = []
  let sent = 0
  let decoded = 0
  const fail = (why: Why) => done({ unknown: why })
  response.on("data", (chunk: Buffer) => {
    sent += chunk.length
    if (sent > maxBytes) fail("too_large")
  })
  response.on("error", () => fail("refused"))
  response.on("end", () => {
    // Nothing sent is nothing, whatever coding it claims to be in.
    if (sent === 0) done({ value: Buffer.alloc(0) })
  })
  let last: IncomingMessage | Transform = response
  for (const decoder of decoders) {
    decoder.on("error", () => fail("malformed"))
    last = last.pipe(decoder)
  }
  last.on("data", (chunk: Buffer) => {
    decoded += chunk.length
    if (decoded > maxBytes) fail("too_large")
    else chunks.push(chunk)
  })
  last.on("end", () => done({ value: Buffer.concat(chunks) }))
  return () => {
    for (const decoder of decoders) decoder.destroy()
  }
}

/** @returns One decoder a coding, in the order to undo them; undefined for an unknown coding. */
function decodersOf(response: IncomingMessage): Transform[] | undefined {
  const codings = (response.headers["content-encoding"] ?? "")
    .toLowerCase()
    .split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity")
  if (codings.length > 2) return undefined
  const decoders = codings.reverse().map(decoderOf)
  return decoders.every((decoder) => decoder !== undefined) ? decoders : undefined
}

function decoderOf(coding: string): Transform | undefined {
  switch (coding) {
    case "gzip":
    case "x-gzip":
      return createGunzip()
    case "deflate":
      return createInflate()
    case "br":
      return createBrotliDecompress()
    case "zstd":
      return createZstdDecompress({
        params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
      })
    default:
      return undefined
  }
}
