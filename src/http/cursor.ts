/** Cursors of lists: a place in the order of ids, which means nothing that row security has not allowed. */
import type { IdPrefix } from "../core/ids.ts"
import { decodeId } from "../core/ids.ts"

/** @returns The cursor that goes on after a row with this id. */
export function cursorAfter(prefix: IdPrefix, id: string): string {
  const hex = (decodeId(prefix, id) ?? "").replaceAll("-", "")
  return Buffer.from(hex, "hex").toString("base64url")
}

/** @returns A UUID; undefined without a cursor. */
export function readCursor(cursor: string | undefined): string | undefined {
  return cursor === undefined ? undefined : Buffer.from(cursor, "base64url").toString("hex")
}
