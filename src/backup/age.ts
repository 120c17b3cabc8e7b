/**
 * Files in the age format (https://age-encryption.org/v1), streamed, so that `age -d` opens them.
 *
 * Owns: the payload (STREAM: ChaCha20-Poly1305 over chunks of 64 KiB). The header, with everything
 * asymmetric, is the library's; its own payload runs at a quarter of the speed (bench/backup.ts).
 * Invariant: nothing is given out that was not authenticated; a file without its last chunk fails.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto"
import type { FileHandle } from "node:fs/promises"
import { open } from "node:fs/promises"
import { Decrypter, Encrypter } from "age-encryption"
import { Problem } from "../core/problem.ts"
import { messageOf } from "../core/thrown.ts"

const CHUNK = 64 * 1024
const TAG = 16
const SEALED_CHUNK = CHUNK + TAG
const PAYLOAD_NONCE = 16
/** Chunks that go to the disk at once. */
const BATCH = 16
const MAX_HEADER = 64 * 1024
const CIPHER = "chacha20-poly1305"

/** Encrypts what is written to it. Memory: two batches of chunks, whatever the size. */
export class AgeWriter {
  readonly #file: FileHandle
  readonly #key: Buffer
  readonly #nonce = new ChunkNonce()
  readonly #plain = Buffer.allocUnsafe(CHUNK)
  #plainUsed = 0
  #batch = Buffer.allocUnsafe(BATCH * SEALED_CHUNK)
  #batchUsed = 0
  #writing: Promise<unknown> = Promise.resolve()
  /** Of the file so far, with what is still on its way to the disk. */
  bytes = 0

  private constructor(file: FileHandle, key: Buffer) {
    this.#file = file
    this.#key = key
  }

  /** @param recipients - `age1…`, one or more. @throws Problem `INVALID_SETTING` for one that is none. */
  static async start(file: FileHandle, recipients: readonly string[]): Promise<AgeWriter> {
    const encrypter = new Encrypter()
    for (const recipient of recipients) {
      try {
        encrypter.addRecipient(recipient)
      } catch (cause) {
        throw new Problem("INVALID_SETTING", {
          message: `'${recipient}' is not an age recipient: it begins with age1, and 'age-keygen -y' prints it.`,
          cause,
        })
      }
    }
    let fileKey = Buffer.alloc(0)
    encrypter.addRecipient({
      wrapFileKey(key) {
        fileKey = Buffer.from(key)
        return []
      },
    })
    const empty = Buffer.from(await encrypter.encrypt(new Uint8Array()))
    const nonce = randomBytes(PAYLOAD_NONCE)
    const head = Buffer.concat([empty.subarray(0, endOfHeader(empty)), nonce])
    const writer = new AgeWriter(file, payloadKey(fileKey, nonce))
    await file.writeFile(head)
    writer.bytes = head.length
    return writer
  }

  async write(data: Buffer): Promise<void> {
    for (let at = 0; at < data.length; ) {
      if (this.#plainUsed === CHUNK) await this.#seal(false)
      const end = Math.min(data.length, at + CHUNK - this.#plainUsed)
      data.copy(this.#plain, this.#plainUsed, at, end)
      this.#plainUsed += end - at
      at = end
    }
  }

  /** Writes the last chunk. The file stays its opener's to sync and close. */
  async end(): Promise<void> {
    await this.#seal(true)
    await this.#flush()
    await this.#writing
  }

  async #seal(last: boolean): Promise<void> {
    if (this.#batchUsed + SEALED_CHUNK > this.#batch.length) await this.#flush()
    const cipher = createCipheriv(CIPHER, this.#key, this.#nonce.next(last), { authTagLength: TAG })
    const sealed = cipher.update(this.#plain.subarray(0, this.#plainUsed))
    cipher.final()
    for (const part of [sealed, cipher.getAuthTag()]) {
      this.#batchUsed += part.copy(this.#batch, this.#batchUsed)
      this.bytes += part.length
    }
    this.#plainUsed = 0
  }

  /** While one batch goes to the disk, the next is made. */
  async #flush(): Promise<void> {
    await this.#writing
    this.#writing = writeAll(this.#file, this.#batch.subarray(0, this.#batchUsed))
    this.#writing.catch(() => {}) // whoever waits for it next is told
    this.#batch = Buffer.allocUnsafe(BATCH * SEALED_CHUNK)
    this.#batchUsed = 0
  }
}

async function writeAll(file: FileHandle, data: Buffer): Promise<void> {
  for (let at = 0; at < data.length; ) {
    const { bytesWritten } = await file.write(data, at)
    at += bytesWritten
  }
}

/**
 * Reads a whole file, piece by piece.
 * @param identity - `AGE-SECRET-KEY-1…`
 * @throws Problem `BACKUP`: not such a file, not for this identity, cut, or changed; nothing is
 *   yielded of a chunk that is not what was written.
 */
export async function* readAge(path: string, identity: string): AsyncGenerator<Buffer, void> {
  await using file = await openBackup(path)
  const { size } = await file.stat()
  const start = Buffer.alloc(Math.min(size, MAX_HEADER))
  await file.read(start, 0, start.length, 0)
  const headerEnd = endOfHeader(start)
  const begin = headerEnd + PAYLOAD_NONCE
  if (headerEnd === 0 || start.length < begin) throw bad(path, "is not an age file, or is cut off")
  const fileKey = await openHeader(path, start.subarray(0, headerEnd), identity)
  const key = payloadKey(fileKey, start.subarray(headerEnd, begin))
  const nonce = new ChunkNonce()
  const batch = Buffer.allocUnsafe(BATCH * SEALED_CHUNK)
  const payload = size - begin
  for (let at = 0; at < payload || at === 0; ) {
    const wanted = Math.min(batch.length, payload - at)
    const { bytesRead } = await file.read(batch, 0, wanted, begin + at)
    if (bytesRead < wanted) throw bad(path, "became shorter while it was read")
    for (let in_ = 0; in_ < bytesRead || payload === 0; in_ += SEALED_CHUNK) {
      const sealed = batch.subarray(in_, Math.min(in_ + SEALED_CHUNK, bytesRead))
      const last = at + in_ + SEALED_CHUNK >= payload
      yield openChunk(path, sealed, key, nonce, last)
      if (payload === 0) return
    }
    at += bytesRead
  }
}

function openChunk(path: string, sealed: Buffer, key: Buffer, nonce: ChunkNonce, last: boolean) {
  const plain = tryChunk(sealed, key, nonce.next(last))
  if (plain !== undefined && (plain.length > 0 || nonce.isFirst)) return plain
  if (last && tryChunk(sealed, key, nonce.same(false)) !== undefined) {
    throw bad(path, "is cut off: its end is missing")
  }
  throw bad(path, `is damaged or was changed, or its end is missing (chunk ${nonce.index})`)
}

function tryChunk(sealed: Buffer, key: Buffer, nonce: Buffer): Buffer | undefined {
  if (sealed.length < TAG) return undefined
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG })
  decipher.setAuthTag(sealed.subarray(-TAG))
  const plain = decipher.update(sealed.subarray(0, -TAG))
  try {
    decipher.final()
    return plain
  } catch {
    return undefined
  }
}

async function openHeader(path: string, header: Buffer, identity: string): Promise<Buffer> {
  const decrypter = new Decrypter()
  decrypter.addIdentity(identity)
  try {
    return Buffer.from(await decrypter.decryptHeader(header))
  } catch (cause) {
    if (messageOf(cause).startsWith("no identity matched")) {
      throw new Problem("BACKUP", {
        message: `${path} is not encrypted to this identity. Give the identity of the deployment it was made by: ZT_IDENTITY_FILE names its file.`,
        cause,
      })
    }
    throw bad(path, "is damaged or was changed at its beginning", cause)
  }
}

async function openBackup(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r")
  } catch (cause) {
    throw new Problem("BACKUP", { message: `${path} cannot be read: ${messageOf(cause)}`, cause })
  }
}

/** @returns Where the line with the header's MAC ends; 0 where there is none. */
function endOfHeader(data: Buffer): number {
  const mac =
    data.subarray(0, 22).toString() === "age-encryption.org/v1\n" ? data.indexOf("\n--- ") : -1
  return mac === -1 ? 0 : data.indexOf("\n", mac + 1) + 1
}

function payloadKey(fileKey: Buffer, nonce: Buffer): Buffer {
  return Buffer.from(hkdfSync("sha256", fileKey, nonce, "payload", 32))
}

function bad(path: string, what: string, cause?: unknown): Problem {
  return new Problem("BACKUP", {
    message: `${path} ${what}. Take another copy of it, or another backup. Nothing was changed.`,
    cause,
  })
}

/** Eleven bytes that count, and one that marks the last chunk. */
class ChunkNonce {
  readonly #bytes = Buffer.alloc(12)
  /** Of the chunk that the last nonce was for, from 0. */
  index = -1

  get isFirst(): boolean {
    return this.index === 0
  }

  next(last: boolean): Buffer {
    this.index++
    return this.same(last)
  }

  same(last: boolean): Buffer {
    this.#bytes.writeUIntBE(this.index, 5, 6)
    this.#bytes[11] = last ? 1 : 0
    return this.#bytes
  }
}
