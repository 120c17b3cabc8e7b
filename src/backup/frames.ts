/**
 * What a backup holds once it is decrypted: frames, each a letter, a length (4 bytes, big-endian)
 * and that many bytes.
 *
 *     H  header, JSON              first, once
 *     S  secrets, JSON             once
 *     T  a table begins, JSON      then D frames, the bytes of COPY … (format binary), then
 *     E  a table ends, JSON        its row count and the SHA-256 of its D frames
 *     Q  sequences, JSON
 *     Z  end, JSON                 the deployment's signature of all that is before
 *
 * Owns: the shapes and the framing. Not: encryption (age.ts), what the tables mean (make.ts, load.ts).
 */
import { z } from "zod"

export const FORMAT = 1

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

export const Header = z.object({
  format: z.literal(FORMAT),
  /** `tenant-keys`: the one table that lies in a file of its own. */
  kind: z.enum(["backup", "tenant-keys"]),
  /** The public key whose signature ends the file: whose backup it is (signature.ts). */
  deployment: z.string(),
  program: z.string(),
  postgres: z.string(),
  /** When the snapshot was taken. */
  at: z.iso.datetime(),
  migrations: z.array(z.object({ number: z.int(), name: z.string(), sha256 })),
})
export type Header = z.output<typeof Header>

export const Secrets = z.record(
  z.string(),
  z.array(z.object({ number: z.int(), value: z.string(), createdAt: z.iso.datetime() })),
)
export type Secrets = z.output<typeof Secrets>

export const TableStart = z.object({
  schema: z.string(),
  name: z.string(),
  columns: z.array(z.string()),
})
export type TableStart = z.output<typeof TableStart>

export const TableEnd = z.object({ rows: z.int(), bytes: z.int(), sha256 })
export type TableEnd = z.output<typeof TableEnd>

export const Sequences = z.array(
  z.object({
    schema: z.string(),
    name: z.string(),
    /** A bigint as text. */
    value: z.string().regex(/^-?\d+$/),
    called: z.boolean(),
  }),
)
export type Sequences = z.output<typeof Sequences>

export const End = z.object({ tables: z.int(), rows: z.int(), signature: z.string() })
export type End = z.output<typeof End>

export const KINDS = {
  header: "H",
  secrets: "S",
  table: "T",
  data: "D",
  tableEnd: "E",
  sequences: "Q",
  end: "Z",
} as const
export type Kind = (typeof KINDS)[keyof typeof KINDS]

const HEAD = 5
const LETTERS = new Set<string>(Object.values(KINDS))
/** Of a frame that is JSON; D frames are as long as the socket's reads. */
const MAX_FRAME = 64 * 1024 * 1024

/** @returns What stands before a frame's bytes. */
export function frameHead(kind: Kind, length: number): Buffer {
  const head = Buffer.alloc(HEAD)
  head.write(kind, "latin1")
  head.writeUInt32BE(length, 1)
  return head
}

export interface Frame {
  readonly kind: Kind
  readonly bytes: Buffer
}

/**
 * Reads frames out of pieces of any size. A frame that its pieces hold whole is not copied.
 * @throws SyntaxError for anything else than frames, also at the end.
 */
export async function* readFrames(pieces: AsyncIterable<Buffer>): AsyncGenerator<Frame, void> {
  let rest: Buffer = Buffer.alloc(0)
  /** Pieces after `rest` of a frame that is not whole yet. */
  let more: Buffer[] = []
  let have = 0
  let need = HEAD
  for await (const piece of pieces) {
    more.push(piece)
    have += piece.length
    if (have < need) continue
    rest = more.length === 1 ? piece : Buffer.concat(more)
    let at = 0
    need = HEAD
    while (rest.length - at >= HEAD) {
      const kind = String.fromCharCode(rest[at] ?? 0)
      const length = rest.readUInt32BE(at + 1)
      if (!LETTERS.has(kind) || length > MAX_FRAME) throw new SyntaxError("not a frame")
      need = HEAD + length
      if (rest.length - at < need) break
      yield { kind: kind as Kind, bytes: rest.subarray(at + HEAD, at + need) }
      at += need
      need = HEAD
    }
    rest = rest.subarray(at)
    more = rest.length === 0 ? [] : [rest]
    have = rest.length
  }
  if (have > 0) throw new SyntaxError("ends within a frame")
}
