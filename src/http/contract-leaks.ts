/** The HTTP contract of reports of leaked keys: the format of secret-scanning partners. */
import { z } from "@hono/zod-openapi"
import { field } from "./contract.ts"

/** Keys in one report. */
export const MAX_REPORTED = 500

const header = (description: string, example: string) =>
  z.string().min(1).openapi({ description, example })

export const LeakHeaders = z.object({
  "Github-Public-Key-Identifier": header(
    "Which of the partner's public keys. `Public-Key-Identifier` means the same.",
    "bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c",
  ),
  "Github-Public-Key-Signature": header(
    "Over the bytes of the body: ECDSA, P-256, SHA-256; DER in base64. `Public-Key-Signature` means the same.",
    "MEQCIEyH0ZlOPNdCQqJ3tbzTDQpdRWBhgJ5Ua3Ob0ehJzjJIAiAj3Tv9m0sL6n4N1rEyJ8lyzZqk4rkwb6PZ6pYp0eKvVg==",
  ),
})

/** What else a partner says of it, such as `type` and `source`, is not looked at. */
export const LeakedKey = z
  .object({
    token: field(z.string().max(10_000), "The key that was found.", `zt_live_${"…"}`),
    url: field(z.string(), "Where. It is not visited.", "https://example.com/repo/file").optional(),
  })
  .openapi("LeakedKey", { description: "A key that a secret scanner found." })

export const LeakReport = z.array(LeakedKey)

export const ReportTaken = z
  .object({ received: field(z.int(), "Items that were sent.", 1) })
  .openapi("ReportTaken", {
    description: "The report was taken; which of the keys exist is not told.",
  })
