/**
 * Looks for secrets in bytes of any kind, in every form of forms.ts, compressed parts expanded.
 *
 * One pass over the bytes whatever the number of secrets: the first four bytes of every form are
 * hashed into a bitmap. Knows nothing of places and of what is allowed (places.ts, the tests).
 */
import {
  brotliDecompressSync,
  constants,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from "node:zlib"
import { formsOf, piecesOf } from "./forms.ts"

/** A secret whose every trace counts. */
export interface Canary {
  readonly name: string
  /** Only what is secret of it: without a prefix that all of its kind have. 8 characters at least. */
  readonly secret: string | Uint8Array
}

export interface Leak {
  readonly canary: string
  readonly place: string
  /** How it was written, innermost first: `base64, 1 bytes in, in gzip`. */
  readonly form: string
}

/** @param place - Where the bytes were found, for the leak. @returns One leak a canary and form. */
export type Search = (place: string, bytes: Uint8Array | string) => Leak[]

interface Needle {
  readonly canary: string
  readonly form: string
  readonly bytes: Buffer
}

const MAX_DEPTH = 4
const MAX_EXPANDED = 256 * 1024 * 1024
const BITMAP_BITS = 20

export function createSearch(canaries: readonly Canary[]): Search {
  const needles = new Map<number, Needle[]>()
  const bitmap = new Uint8Array(1 << BITMAP_BITS)
  const known = new Set<string>()
  for (const { name, secret } of canaries) {
    for (const [form, bytes] of piecesOf(secret).flatMap(formsOf)) {
      const id = `${name}:${bytes.toString("latin1")}`
      if (bytes.length < 4 || known.has(id)) continue
      known.add(id)
      const start = bytes.readUInt32BE()
      const same = needles.get(start)
      if (same) same.push({ canary: name, form, bytes })
      else needles.set(start, [{ canary: name, form, bytes }])
      bitmap[slot(start)] = 1
    }
  }

  function scan(bytes: Buffer, found: (needle: Needle) => void): void {
    let window = 0
    for (let i = 0; i < bytes.length; i++) {
      window = (window << 8) | (bytes[i] as number)
      if (bitmap[slot(window)] === 0 || i < 3) continue
      for (const needle of needles.get(window >>> 0) ?? []) {
        const start = i - 3
        if (needle.bytes.equals(bytes.subarray(start, start + needle.bytes.length))) found(needle)
      }
    }
  }

  return (place, input) => {
    const leaks = new Map<string, Leak>()
    const look = (bytes: Buffer, within: string, depth: number) => {
      scan(bytes, ({ canary, form }) => {
        const leak = { canary, place, form: form + within }
        leaks.set(`${canary}:${leak.form}`, leak)
      })
      if (depth >= MAX_DEPTH) return
      for (const [how, inner] of expansions(bytes)) look(inner, `${within}, in ${how}`, depth + 1)
    }
    look(typeof input === "string" ? Buffer.from(input) : asBuffer(input), "", 0)
    return [...leaks.values()]
  }
}

function slot(window: number): number {
  return Math.imul(window, 0x9e3779b1) >>> (32 - BITMAP_BITS)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** What ends early is taken as far as it goes. */
const CUT = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_EXPANDED }
const BROTLI_CUT = {
  finishFlush: constants.BROTLI_OPERATION_FLUSH,
  maxOutputLength: MAX_EXPANDED,
}

/** Compressed streams by how they begin. The whole of the bytes is tried as each of the others. */
const MAGIC: readonly {
  readonly how: string
  readonly magic: readonly string[]
  readonly expand: (bytes: Buffer) => Uint8Array
}[] = [
  { how: "gzip", magic: ["1f8b08"], expand: expandGzip },
  { how: "zlib", magic: ["7801", "785e", "789c", "78da"], expand: (b) => inflateSync(b, CUT) },
  { how: "zstd", magic: ["28b52ffd"], expand: (bytes) => zstdDecompressSync(bytes) },
  { how: "zip", magic: ["504b0304"], expand: expandZipEntry },
  { how: "gzip as base64", magic: ["48347349"], expand: (b) => expandGzip(fromBase64(b)) },
]

/** @returns What compressed parts hold, each with how it was compressed; one layer. */
export function* expansions(bytes: Buffer): Generator<[how: string, inner: Buffer]> {
  for (const { how, magic, expand } of MAGIC) {
    for (const start of magic) {
      const sign = Buffer.from(start, "hex")
      for (let at = bytes.indexOf(sign); at !== -1; at = bytes.indexOf(sign, at + 1)) {
        const inner = attempt(() => expand(bytes.subarray(at)))
        if (inner !== undefined) yield [how, inner]
      }
    }
  }
  const deflated = attempt(() => inflateRawSync(bytes, CUT))
  if (deflated !== undefined) yield ["deflate", deflated]
  const brotli = attempt(() => brotliDecompressSync(bytes, BROTLI_CUT))
  if (brotli !== undefined) yield ["brotli", brotli]
}

/** One member (RFC 1952 §2.3), whatever follows it. */
function expandGzip(bytes: Buffer): Uint8Array {
  const [HEADER_CRC, EXTRA, NAME, COMMENT] = [2, 4, 8, 16]
  const flags = bytes[3] ?? 0
  let start = 10
  if (flags & EXTRA) start += 2 + bytes.readUInt16LE(start)
  for (const text of [NAME, COMMENT]) if (flags & text) start = bytes.indexOf(0, start) + 1
  if (flags & HEADER_CRC) start += 2
  return inflateRawSync(bytes.subarray(start), CUT)
}

/** A local file header (APPNOTE.TXT 4.3.7); entries that are stored stand in the bytes as they are. */
function expandZipEntry(bytes: Buffer): Uint8Array {
  const DEFLATED = 8
  if (bytes.readUInt16LE(8) !== DEFLATED) throw new RangeError("stored")
  const start = 30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28)
  return inflateRawSync(bytes.subarray(start), CUT)
}

function fromBase64(bytes: Buffer): Buffer {
  const text = bytes.toString("latin1", 0, MAX_EXPANDED)
  return Buffer.from(/^[\w+/=-]*/.exec(text)?.[0] ?? "", "base64")
}

/** @returns Undefined for what is no such stream, and for what gives nothing. */
function attempt(expand: () => Uint8Array): Buffer | undefined {
  try {
    const expanded = asBuffer(expand())
    return expanded.length > 0 ? expanded : undefined
  } catch {
    return undefined
  }
}
