/** The HTTP contract of events: what a tenant's owner is told of. */
import { z } from "@hono/zod-openapi"
import { EVENT_KINDS } from "../events/events.ts"
import { field, time } from "./contract.ts"
import { nextCursor, paged } from "./cursor.ts"

const KEY = "key_01kar0v9z8fjrbh3p5t7wxyqm4"

export const EventsQuery = z.strictObject({
  kind: z.enum(EVENT_KINDS).optional().openapi({ description: "Only of this kind." }),
  key: z
    .string()
    .regex(/^key_[0-9a-z]{26}$/, "is not a key's id, which begins with key_")
    .optional()
    .openapi({ description: "Only about this key.", example: KEY }),
  ...paged("Events", "_____________________w"),
})

const Event = z
  .object({
    id: field(z.string(), "Names the event.", "evt_01kar2f6h8k0m2p4r6t8v0x2z4"),
    kind: field(z.enum(EVENT_KINDS), "What happened.", "quota_80"),
    at: time("When it was seen."),
    environment: field(z.enum(["live", "test"]), "Of the key that asked.", "live"),
    key: field(z.string().nullable(), "The key it is about; `null`: none.", KEY),
    details: field(
      z.record(z.string(), z.unknown()),
      "By its kind. Quota: `month`, `units`, `per_month`; key_expiring: `days`, `expires_at`; key_leaked: who reported it (`partner`) and what was done (`action`: disabled, notified or none).",
      { month: "2026-11", units: 8_000, per_month: 10_000 },
    ),
    mailed_at: time("When it was mailed to the tenant's contact; `null`: it was not.").nullable(),
  })
  .openapi("Event", { description: "Something that the owner of keys should know." })

export const EventList = z
  .object({
    events: field(z.array(Event), "The newest first."),
    next_cursor: nextCursor,
  })
  .openapi("EventList", { description: "Events of the tenant, of the asking key's environment." })
