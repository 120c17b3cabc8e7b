/** The pages for people while the database is away: they say so in their own form, and keep what was typed. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { memorySecrets } from "../../test/memory-secrets.ts"
import { Problem } from "../core/problem.ts"
import { Keyring } from "../secrets/keyring.ts"
import type { Parts } from "./parts.ts"
import { claimRoutes } from "./routes/claim.ts"
import { keyRequestRoutes } from "./routes/key-requests.ts"

const TOKEN = `zt_link_${"0".repeat(64)}`
const FIELDS = {
  name: "Ada Lovelace",
  organisation: "Analytical Engines",
  contact: "ada@engines.example",
  purpose: "Checking suppliers.",
}

describe("without a database", async () => {
  const away = () => Promise.reject(new Problem("UNAVAILABLE", { retryAfterSeconds: 1 }))
  const parts = {
    database: { callAside: away, asTenant: away },
    keyring: await Keyring.open(memorySecrets()),
    keyRequests: { most: 10, perDay: 10, canMail: true, kick: () => {} },
    now: Date.now,
    origin: "https://localhost",
  } as unknown as Parts
  const post = (fields: Record<string, string>) => ({
    method: "POST",
    body: new URLSearchParams(fields),
  })
  const isPage = (answer: Response) => /^text\/html/.test(answer.headers.get("content-type") ?? "")

  it("the form is there", async () => {
    const answer = await keyRequestRoutes(parts).request("/request-a-key")
    assert.equal(answer.status, 200)
    assert.match(await answer.text(), /<form/)
  })

  it("what was typed stays in the form, which says to try again", async () => {
    const answer = await keyRequestRoutes(parts).request("/request-a-key", post(FIELDS), {})
    assert.deepEqual([answer.status, answer.headers.get("retry-after")], [503, "1"])
    assert.ok(isPage(answer))
    const page = await answer.text()
    for (const typed of Object.values(FIELDS)) assert.ok(page.includes(typed), typed)
    assert.match(page, /role="alert">[^<]*try again/)
  })

  it("a link is told to be opened again", async () => {
    const answer = await claimRoutes(parts).request("/claim-a-key", post({ token: TOKEN }), {})
    assert.deepEqual([answer.status, answer.headers.get("retry-after")], [503, "1"])
    assert.ok(isPage(answer))
    assert.match(await answer.text(), /Open it again from the mail/)
  })
})
