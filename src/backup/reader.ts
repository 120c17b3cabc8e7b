/**
 * Reads a backup's file from its first byte to its last, and refuses what is not exactly one.
 *
 * Owns: the order of the frames, digests, counts, the signature. Invariant: it returns only when the
 * whole file is what its deployment wrote; what a visitor did until then it must be able to undo.
 */
import { createHash } from "node:crypto"
import type { z } from "zod"
import { Problem } from "../core/problem.ts"
import { readAge } from "./age.ts"
import type { Frame, TableEnd, TableStart } from "./frames.ts"
import {
  End,
  FORMAT,
  frameHead,
  Header,
  KINDS,
  readFrames,
  Secrets,
  Sequences,
  TableEnd as TableEndShape,
  TableStart as TableStartShape,
} from "./frames.ts"
import { isSignedBy } from "./signature.ts"

/** Which file, and whose it must be. */
export interface BackupFile {
  readonly path: string
  readonly kind: Header["kind"]
  /** `AGE-SECRET-KEY-1…` */
  readonly identity: string
  /** As its header must name it (signature.ts). */
  readonly deployment: string
}

/** Told what is read, in the order of the file. */
export interface Visitor {
  header?(header: Header): Promise<void> | void
  secrets?(secrets: Secrets): Promise<void> | void
  /** @returns What takes the table's bytes. */
  table?(table: TableStart): Promise<TableVisitor> | TableVisitor
  sequences?(sequences: Sequences): Promise<void> | void
}

export interface TableVisitor {
  data(piece: Buffer): Promise<void> | void
  end(end: TableEnd): Promise<void> | void
}

export interface Contents {
  readonly header: Header
  readonly tables: readonly (TableStart & TableEnd)[]
  readonly rows: number
}

/** @throws Problem `BACKUP`, and what the visitor throws. */
export async function readBackup(file: BackupFile, visitor: Visitor = {}): Promise<Contents> {
  const state = new State(file, visitor)
  try {
    for await (const frame of readFrames(readAge(file.path, file.identity))) await state.take(frame)
  } catch (error) {
    if (error instanceof SyntaxError) throw damaged(file, error)
    throw error
  }
  return state.contents()
}

class State {
  readonly #file: BackupFile
  readonly #visitor: Visitor
  readonly #signed = createHash("sha256")
  readonly #tables: (TableStart & TableEnd)[] = []
  #header: Header | undefined
  #table: OpenTable | undefined
  #seen = ""
  #ended = false

  constructor(file: BackupFile, visitor: Visitor) {
    this.#file = file
    this.#visitor = visitor
  }

  async take({ kind, bytes }: Frame): Promise<void> {
    if (this.#ended) throw new SyntaxError("goes on after its end")
    if (kind === KINDS.data) {
      if (this.#table === undefined) throw new SyntaxError("data without a table")
      this.#table.hash.update(bytes)
      this.#table.bytes += bytes.length
      await this.#table.visitor?.data(bytes)
      return
    }
    if (kind === KINDS.end) return this.#end(parse(End, bytes))
    this.#signed.update(frameHead(kind, bytes.length)).update(bytes)
    if ((kind === KINDS.header) !== (this.#header === undefined)) {
      throw new SyntaxError("does not begin with one header")
    }
    if ((kind === KINDS.tableEnd) !== (this.#table !== undefined)) {
      throw new SyntaxError("a table within a table")
    }
    switch (kind) {
      case KINDS.header:
        this.#header = readHeader(this.#file, bytes)
        return this.#visitor.header?.(this.#header)
      case KINDS.secrets:
        this.#once(kind)
        return this.#visitor.secrets?.(parse(Secrets, bytes))
      case KINDS.sequences:
        this.#once(kind)
        return this.#visitor.sequences?.(parse(Sequences, bytes))
      case KINDS.table: {
        const start = parse(TableStartShape, bytes)
        const visitor = await this.#visitor.table?.(start)
        this.#table = { start, visitor, hash: createHash("sha256"), bytes: 0 }
        return
      }
      case KINDS.tableEnd:
        return this.#tableEnd(parse(TableEndShape, bytes))
    }
  }

  #once(kind: string): void {
    if (this.#seen.includes(kind)) throw new SyntaxError("a part twice")
    this.#seen += kind
  }

  async #tableEnd(end: TableEnd): Promise<void> {
    const table = this.#table
    this.#table = undefined
    if (table === undefined) return
    if (table.bytes !== end.bytes || table.hash.digest("hex") !== end.sha256) {
      throw new SyntaxError("a table is not what its end says")
    }
    await table.visitor?.end(end)
    this.#tables.push({ ...table.start, ...end })
  }

  #end({ tables, rows, signature }: End): void {
    const { deployment } = this.#file
    const whole = this.#table === undefined && tables === this.#tables.length
    const parts = this.#file.kind === "backup" ? 2 : 0
    if (!whole || rows !== this.#rows() || this.#seen.length !== parts) {
      throw new SyntaxError("parts are missing")
    }
    if (!isSignedBy(deployment, this.#signed.digest(), signature)) {
      throw new Problem("BACKUP", {
        message: `${this.#file.path} is not signed by deployment ${deployment}: somebody else made or changed it. Take another copy of it, or another backup. Nothing was changed.`,
      })
    }
    this.#ended = true
  }

  contents(): Contents {
    if (this.#header === undefined || !this.#ended) throw damaged(this.#file)
    return { header: this.#header, tables: this.#tables, rows: this.#rows() }
  }

  #rows(): number {
    return this.#tables.reduce((sum, { rows }) => sum + rows, 0)
  }
}

interface OpenTable {
  readonly start: TableStart
  readonly visitor: TableVisitor | undefined
  readonly hash: ReturnType<typeof createHash>
  bytes: number
}

function readHeader({ path, kind, deployment }: BackupFile, bytes: Buffer): Header {
  const { format, kind: found, program } = JSON.parse(bytes.toString())
  if (typeof format === "number" && format > FORMAT) {
    throw new Problem("BACKUP", {
      message: `${path} was made by a newer release (${program}): restore it with that one. Nothing was changed.`,
    })
  }
  const header = parse(Header, bytes)
  if (found !== kind) {
    const [is, wanted] =
      kind === "backup" ? ["tenants' keys", "a backup"] : ["a backup", "tenants' keys"]
    throw new Problem("BACKUP", {
      message: `${path} holds ${is}, not ${wanted}: give the other file.`,
    })
  }
  if (header.deployment !== deployment) {
    throw new Problem("BACKUP", {
      message: `${path} was made by deployment ${header.deployment}, and this identity is that of ${deployment}. Give the files and the identity of one deployment; where the backup was made for a second recipient, say whose it must be: --deployment. Nothing was changed.`,
    })
  }
  return header
}

function parse<T extends z.ZodType>(shape: T, bytes: Buffer): z.output<T> {
  const result = shape.safeParse(JSON.parse(bytes.toString()))
  if (!result.success) throw new SyntaxError("a part of another form")
  return result.data
}

function damaged({ path }: BackupFile, cause?: unknown): Problem {
  return new Problem("BACKUP", {
    message: `${path} is not a whole backup of this program. Take another copy of it, or another backup. Nothing was changed.`,
    cause,
  })
}
