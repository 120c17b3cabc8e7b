/** The HTTP contract of asking for a key: what is sent, by JSON or by the page's form, is strict. */
import { z } from "@hono/zod-openapi"
import { isMailAddress } from "../core/mail-address.ts"
import { findKeys } from "../keys/format.ts"
import { field } from "./contract.ts"

/** A key has no business here: it would be kept, and shown to somebody else. */
const isNoKey = (text: string) => findKeys(text).length === 0

/** Without what cannot be seen, so that no terminal or page shows it otherwise than it is. */
const line = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .refine((text) => !/\p{C}/u.test(text) && isNoKey(text))

/** Like a line, with line ends. */
const text = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .refine((text) => !/[^\P{C}\n]/u.test(text) && isNoKey(text))

export const LENGTHS = { name: 80, organisation: 60, purpose: 1_000, contact: 254 } as const

export const KeyRequestBody = z
  .strictObject({
    name: field(line(LENGTHS.name), "Who asks.", "Ada Lovelace"),
    organisation: field(line(LENGTHS.organisation), "For whom.", "Analytical Engines Ltd"),
    purpose: field(
      text(LENGTHS.purpose),
      "What for; an operator decides by it.",
      "We check suppliers' domains before their first invoice is paid.",
    ),
    contact: field(
      z
        .string()
        .max(LENGTHS.contact)
        .refine((text) => isMailAddress(text) && isNoKey(text)),
      "Mail address, in ASCII: where the link to the key goes.",
      "ada@engines.example",
    ),
    plan: field(
      z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
      "The plan that is wished for. One of self-service, where this deployment has any and can mail, needs no operator.",
      "free",
    ).optional(),
  })
  .openapi("KeyRequest", { description: "Who asks for a key, and what for." })

export const KeyRequestReceived = z
  .object({
    status: field(z.literal("received"), "It is not told what becomes of it.", "received"),
  })
  .openapi("KeyRequestReceived", { description: "That a request for a key came in." })

export const AttemptHeaders = z.object({
  "Idempotency-Key": z.string().min(1).max(255).optional().openapi({
    description:
      "Your own name for this attempt. Sent again with the same content, no second request is made; since nobody is known here, with other content it is another attempt.",
    example: "asking-4711",
  }),
})

/** A whole link that was pasted counts as its token. */
export const ClaimForm = z.strictObject({ token: z.string().max(2_000) })
