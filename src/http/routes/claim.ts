/**
 * /claim-a-key: the page that a one-time link leads to. A GET changes nothing and knows no link, since
 * its token stands behind `#`; the button's POST makes the key and shows it, once.
 */
import { Hono } from "hono"
import { Problem } from "../../core/problem.ts"
import { claimKey } from "../../keys/claim.ts"
import { CLAIM_PATH, findToken } from "../../keys/link.ts"
import { readForm } from "../body.ts"
import {
  CLAIM_POLICY,
  CLAIM_SCRIPT,
  CLAIM_STATUS,
  claimPage,
  keyPage,
  refusedPage,
} from "../claim-page.ts"
import { ClaimForm } from "../contract-requests.ts"
import type { AppEnv, Parts } from "../parts.ts"
import { PAGE_POLICY } from "../request-page.ts"

export function claimRoutes(parts: Parts): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  app.get(CLAIM_PATH, (c) => {
    c.header("content-security-policy", CLAIM_POLICY)
    return c.html(claimPage())
  })
  app.get(`${CLAIM_PATH}/script.js`, (c) => {
    c.header("cache-control", "public, max-age=300")
    return c.body(CLAIM_SCRIPT, 200, { "content-type": "text/javascript; charset=utf-8" })
  })
  app.post(CLAIM_PATH, async (c) => {
    c.header("content-security-policy", PAGE_POLICY)
    const site = c.req.header("sec-fetch-site") ?? "none"
    if (site !== "same-origin" && site !== "none") {
      throw new Problem("INVALID_REQUEST", {
        message: "Open your link, and press the button there.",
      })
    }
    const { body } = await readForm(c.req.raw, ClaimForm)
    const token = body instanceof Problem ? undefined : findToken(body.token)
    const claim =
      token === undefined
        ? ({ standing: "unknown" } as const)
        : await claimKey(parts.database, parts.keyring, token).catch(passing)
    if (claim.standing === "made") return c.html(keyPage(claim, parts.origin))
    if (claim.standing === "unavailable") c.header("retry-after", "1")
    return c.html(refusedPage(claim.standing), CLAIM_STATUS[claim.standing])
  })
  return app
}

function passing(error: unknown) {
  if (error instanceof Problem && error.code === "UNAVAILABLE") {
    return { standing: "unavailable" } as const
  }
  throw error
}
