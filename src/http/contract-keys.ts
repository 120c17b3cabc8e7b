/** The HTTP contract of keys that manage keys. What is sent is strict, what is answered open. */
import { z } from "@hono/zod-openapi"
import { MAX_OVERLAP_SECONDS } from "../keys/rotate.ts"
import { SCOPE_NAMES } from "../keys/scopes.ts"
import { field, time } from "./contract.ts"
import { nextCursor, paged } from "./cursor.ts"

const ID = "key_01kar0v9z8fjrbh3p5t7wxyqm4"
const OTHER_ID = "key_01kar1d2c4e6g8j0m2p4r6t8vx"
const RAW = `zt_live_${"…"}`
const SOON = "2099-01-01T00:00:00.000Z"

const id = field(z.string(), "Names the key; no secret.", ID)
const name = field(z.string(), "What it is called.", "checkout")
const scopes = field(
  z.array(z.enum(SCOPE_NAMES)),
  "What it may be used for. With `keys:write` it manages the tenant's keys.",
  ["analyze", "usage:read"],
)

export const KeyParams = z.object({
  id: z.string().openapi({ description: "The key's.", example: ID }),
})

export const NoQuery = z.strictObject({})

export const KeysQuery = z.strictObject(paged("Keys", "AAAAAAAAcACAAAAAAAAAAA"))

export const IdempotencyHeaders = z.object({
  "Idempotency-Key": z.string().min(1).max(255).optional().openapi({
    description:
      "Your own name for this attempt. Sent again with the same content within a day, no second key is made, and the answer says `secret_shown` in place of the key.",
    example: "order-4711",
  }),
})

const times = {
  created_at: time("When it was issued."),
  expires_at: time("When it ends by itself; `null`: never.", SOON).nullable(),
  disabled_at: time("When it was disabled, if it is.").nullable(),
  revoked_at: time("When it was revoked for good, if it was.").nullable(),
}

const shown = {
  id,
  hint: field(z.string(), "Its beginning, to recognise it by.", "zt_live_4fXb9QzL…"),
  environment: field(z.enum(["live", "test"]), "What it asks.", "live"),
  name,
  state: field(
    z.enum(["good", "disabled", "expired", "revoked"]),
    "Whether it is served; else what stands in its way first.",
    "good",
  ),
  scopes,
  addresses: field(z.array(z.string()).nullable(), "Networks it may be used from; `null`: any.", [
    "203.0.113.0/24",
  ]),
  ...times,
  replaced_by: field(z.string().nullable(), "The key that took its place in a rotation.", OTHER_ID),
  issued_by: field(
    z.string().nullable(),
    "The key that issued it, or `operator`; `null` where it was not recorded.",
    "operator",
  ),
}

export const Key = z.object(shown).openapi("Key", { description: "A key; never the whole of it." })

export const UsedKey = z
  .object({
    ...shown,
    last_used_at: time(
      "Its last use, to the minute; `null`: none that is on record.",
      "2026-11-23T10:00:00.000Z",
    ).nullable(),
  })
  .openapi("UsedKey", { description: "A key, and when it was last used." })

export const KeyList = z
  .object({
    keys: field(z.array(Key), "In the order of their issue."),
    next_cursor: nextCursor,
  })
  .openapi("KeyList", { description: "Keys of the tenant, of the asking key's environment." })

const secret = {
  key: field(z.string(), "The key itself: shown now, and never again.", RAW).optional(),
  secret_shown: field(
    z.literal(true),
    "In place of `key`, when this is told again: it was shown the first time.",
    true,
  ).optional(),
}

export const NewKey = z
  .object({ ...shown, ...secret })
  .openapi("NewKey", { description: "A key that was made now." })

export const RotatedKey = z
  .object({
    ...shown,
    ...secret,
    replaces: field(z.string(), "The old key.", OTHER_ID),
    old_key_ends_at: time("From when on the old one is refused."),
  })
  .openapi("RotatedKey", { description: "A key that was made in another's place." })

export const RevokedKey = z
  .object({
    id,
    revoked_at: time("From when on it is refused."),
    issued: field(z.array(z.string()), "Keys that it had issued, and that go on.", [OTHER_ID]),
  })
  .openapi("RevokedKey", { description: "The end of a key." })

export const IssueBody = z
  .strictObject({
    name: field(z.string().min(1).max(80), "What to call it.", "checkout"),
    scopes: field(
      z.array(z.enum(SCOPE_NAMES)).min(1),
      "What it may be used for; by default what the issuing key may, but for `keys:write`.",
      ["analyze"],
    ).optional(),
    addresses: field(
      z.array(z.string().max(60)).min(1).max(100),
      "Addresses and networks it may be used from; by default the issuing key's.",
      ["203.0.113.0/24"],
    ).optional(),
    expires_at: field(
      z.iso.datetime({ offset: true }),
      "When it ends by itself; by default with the issuing key. RFC 3339.",
      SOON,
    ).optional(),
  })
  .openapi("IssueKey", { description: "A key that is wanted: a subset of the one that asks." })

export const RotateBody = z
  .strictObject({
    overlap_seconds: field(
      z.int().min(0).max(MAX_OVERLAP_SECONDS),
      "How long the old key goes on; by default it ends at once.",
      86_400,
    ).optional(),
  })
  .openapi("RotateKey", { description: "How to rotate." })

export const RenameBody = z
  .strictObject({ name: field(z.string().min(1).max(80), "What to call it from now on.", "till") })
  .openapi("RenameKey", { description: "What is to change." })

export const NoBody = z.strictObject({})
