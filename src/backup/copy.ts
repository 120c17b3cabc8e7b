/** COPY in the binary format: half the bytes of the text one for sealed values, and exact. */
import { createHash } from "node:crypto"
import { once } from "node:events"
import type pg from "pg"
import { from, to } from "pg-copy-streams"
import type { Table } from "./catalog.ts"
import { quote, quoted } from "./catalog.ts"
import type { TableEnd } from "./frames.ts"

type Copied = Pick<Table, "schema" | "name" | "columns">

/**
 * Reads a table out.
 * @param take - Given each piece in order; the next waits for it.
 * @returns What it was, as its end frame says it.
 */
export async function copyOut(
  client: pg.Client,
  table: Copied,
  take: (piece: Buffer) => Promise<void> | void,
): Promise<TableEnd> {
  const stream = client.query(to(`copy ${target(table)} to stdout (format binary)`))
  const hash = createHash("sha256")
  let bytes = 0
  for await (const piece of stream) {
    hash.update(piece)
    bytes += piece.length
    await take(piece)
  }
  await client.query("select") // the row count comes after the last byte
  return { rows: stream.rowCount, bytes, sha256: hash.digest("hex") }
}

/** A table that is being loaded. */
export interface Loading {
  write(piece: Buffer): Promise<void>
  /** @returns How many rows came in. @throws what the database refuses them with. */
  end(): Promise<number>
}

export function copyIn(client: pg.Client, table: Copied): Loading {
  const stream = client.query(from(`copy ${target(table)} from stdin (format binary)`))
  const failed = once(stream, "error").then(([error]) => {
    throw error
  })
  failed.catch(() => {}) // whoever writes next is told
  return {
    async write(piece) {
      if (!stream.write(piece)) await Promise.race([once(stream, "drain"), failed])
    },
    async end() {
      stream.end()
      await Promise.race([once(stream, "finish"), failed])
      return stream.rowCount
    },
  }
}

function target(table: Copied): string {
  return `${quoted(table)} (${table.columns.map(quote).join(", ")})`
}
