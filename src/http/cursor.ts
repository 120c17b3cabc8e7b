/** Cursors of lists: a place in the order of ids, which means nothing that row security has not allowed. */
import { z } from "@hono/zod-openapi"
import type { IdPrefix } from "../core/ids.ts"
import { decodeId } from "../core/ids.ts"
import { field } from "./contract.ts"

/** What the query of a list takes. @param things - What it lists. @param example - Of a cursor. */
export const paged = (things: string, example: string) => ({
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, "is not a number from 1 to 100")
    .optional()
    .openapi({ description: `${things} in one answer, 1 to 100.`, example: "50" }),
  cursor: z
    .string()
    .regex(/^[\w-]{22}$/, "is not one that this API gave")
    .optional()
    .openapi({ description: "`next_cursor` of the answer before.", example }),
})

/** What the answer of a list ends with. */
export const nextCursor = field(
  z.string().nullable(),
  "Where to go on; `null`: there are no more.",
  "AZqB4JPwfjqMpoHPX3PX0w",
)

/** @returns The cursor that goes on after a row with this id. */
export function cursorAfter(prefix: IdPrefix, id: string): string {
  const hex = (decodeId(prefix, id) ?? "").replaceAll("-", "")
  return Buffer.from(hex, "hex").toString("base64url")
}

/** @returns A UUID; undefined without a cursor. */
export function readCursor(cursor: string | undefined): string | undefined {
  return cursor === undefined ? undefined : Buffer.from(cursor, "base64url").toString("hex")
}
