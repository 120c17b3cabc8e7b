/**
 * Writes a backup's file: frames, encrypted, signed at their end.
 *
 * Invariant: the file has its name only when it is whole and on the disk; until then it is a
 * temporary one beside it, which goes when anything fails.
 */
import { createHash, randomUUID } from "node:crypto"
import type { FileHandle } from "node:fs/promises"
import { access, open, rename, rm } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { Problem } from "../core/problem.ts"
import { codeOf } from "../core/thrown.ts"
import { AgeWriter } from "./age.ts"
import type { Header, Kind, Secrets, Sequences, TableEnd, TableStart } from "./frames.ts"
import { FORMAT, frameHead, KINDS } from "./frames.ts"
import type { Signer } from "./signature.ts"

/** Whose backup it is, and who can open it. */
export interface Keys {
  readonly signer: Signer
  /** `age1…` */
  readonly recipients: readonly string[]
}

/** What temporary files are called, so that an interruption's can be told from a backup. */
export const TEMPORARY = /^\.new-[0-9a-f-]{36}-.*\.age$/

export class BackupWriter {
  readonly #age: AgeWriter
  readonly #signer: Signer
  /** Of every frame but D frames, whose digests are in E frames. */
  readonly #signed = createHash("sha256")
  tables = 0
  rows = 0

  constructor(age: AgeWriter, signer: Signer) {
    this.#age = age
    this.#signer = signer
  }

  get bytes(): number {
    return this.#age.bytes
  }

  header(header: Omit<Header, "format" | "deployment">): Promise<void> {
    const { deployment } = this.#signer
    return this.#json(KINDS.header, { format: FORMAT, deployment, ...header } satisfies Header)
  }

  secrets(secrets: Secrets): Promise<void> {
    return this.#json(KINDS.secrets, secrets)
  }

  table(start: TableStart): Promise<void> {
    return this.#json(KINDS.table, start)
  }

  async data(piece: Buffer): Promise<void> {
    await this.#age.write(frameHead(KINDS.data, piece.length))
    await this.#age.write(piece)
  }

  async tableEnd(end: TableEnd): Promise<void> {
    this.tables++
    this.rows += end.rows
    await this.#json(KINDS.tableEnd, end)
  }

  sequences(sequences: Sequences): Promise<void> {
    return this.#json(KINDS.sequences, sequences)
  }

  async end(): Promise<void> {
    const signature = this.#signer.sign(this.#signed.digest())
    const { tables, rows } = this
    await this.#write(KINDS.end, Buffer.from(JSON.stringify({ tables, rows, signature })))
    await this.#age.end()
  }

  async #json(kind: Kind, value: object): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(value))
    this.#signed.update(frameHead(kind, bytes.length)).update(bytes)
    await this.#write(kind, bytes)
  }

  async #write(kind: Kind, bytes: Buffer): Promise<void> {
    await this.#age.write(frameHead(kind, bytes.length))
    await this.#age.write(bytes)
  }
}

/**
 * Makes a file of mode 0600, whole or not at all.
 * @param write - Fills it, up to and with the writer's `end`.
 * @throws Problem `BACKUP` for what the disk refuses; nothing is left behind.
 */
export async function writeBackup<T>(
  path: string,
  { signer, recipients }: Keys,
  write: (writer: BackupWriter) => Promise<T>,
): Promise<T> {
  const temporary = join(dirname(path), `.new-${randomUUID()}-${basename(path)}`)
  try {
    const file = await open(temporary, "wx", 0o600)
    let result: T
    try {
      result = await write(new BackupWriter(await AgeWriter.start(file, recipients), signer))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
    return result
  } catch (error) {
    await rm(temporary, { force: true })
    throw fileProblem(path, error)
  }
}

/** @throws Problem `BACKUP` where a file cannot be made, said before anything long begins. */
export async function checkFolder(folder: string): Promise<void> {
  const probe = join(folder, `.new-${randomUUID()}-probe.age`)
  let file: FileHandle | undefined
  try {
    file = await open(probe, "wx", 0o600)
  } catch (cause) {
    throw fileProblem(join(folder, "…"), cause)
  } finally {
    await file?.close()
    await rm(probe, { force: true })
  }
}

/** @throws Problem `BACKUP` where something has that name already. */
export async function refuseExisting(path: string): Promise<void> {
  const there = await access(path).then(
    () => true,
    () => false,
  )
  if (!there) return
  throw new Problem("BACKUP", {
    message: `${path} is there already, and no backup is overwritten: give another name.`,
  })
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full: free some space, or give another folder",
  EDQUOT: "The disk quota is used up: free some space, or give another folder",
  EFBIG: "The file is larger than this disk or user may have: give another folder",
  ENOENT: "There is no such folder: make it",
  ENOTDIR: "There is no such folder: make it",
  EACCES: "This user may not write there: change the folder's owner, or give another folder",
  EPERM: "This user may not write there: change the folder's owner, or give another folder",
  EROFS: "The disk is read-only: give another folder",
}

function fileProblem(path: string, cause: unknown): unknown {
  const remedy = REMEDIES[codeOf(cause) ?? ""]
  if (cause instanceof Problem || remedy === undefined) return cause
  return new Problem("BACKUP", {
    message: `No backup can be written to ${dirname(path)} (${codeOf(cause)}). ${remedy}.`,
    cause,
  })
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path)
  await folder.sync()
}
