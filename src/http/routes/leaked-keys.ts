/**
 * POST /v1/leaked-keys: secret scanners report keys that they found in public.
 *
 * Invariants: the signature over the bytes as they came is verified before anything of them is read.
 * Who is not known, has no valid signature, or finds no partner configured gets one and the same 404.
 * The answer is the same whichever keys exist; nothing of a report is fetched or kept but what became
 * of the keys.
 */
import { createRoute, OpenAPIHono } from "@hono/zod-openapi"
import type { Context } from "hono"
import { createGate } from "../../core/gate.ts"
import { Problem } from "../../core/problem.ts"
import { reportLeaks } from "../../events/leaks.ts"
import { readKey } from "../../keys/format.ts"
import { readBytes } from "../body.ts"
import { LeakedKey, LeakHeaders, LeakReport, MAX_REPORTED, ReportTaken } from "../contract-leaks.ts"
import type { AppEnv, Parts } from "../parts.ts"
import { answer, EVERYWHERE, refusals } from "../refusals.ts"

const MAX_BYTES = 1_048_576
/** Reports that are read at the same time: each may be a mebibyte, from anybody. */
const AT_ONCE = 8
const WAITING = 32

const route = createRoute({
  method: "post",
  path: "/v1/leaked-keys",
  operationId: "reportLeakedKeys",
  tags: ["Account"],
  summary: "Report leaked keys",
  description:
    "For secret scanners that this deployment knows. A key that exists is disabled, or its owner told, by the plan's rule; a second report of it changes nothing. Items that are not what they should be are passed over.",
  security: [],
  request: {
    headers: LeakHeaders,
    body: { required: true, content: { "application/json": { schema: LeakReport } } },
  },
  responses: {
    202: answer("Taken, whatever exists.", ReportTaken),
    ...refusals(...EVERYWHERE, "NOT_FOUND", "TOO_LARGE", "UNAVAILABLE"),
  },
})

export function leakedKeyRoutes({ database, leakPartners }: Parts): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>()
  app.openAPIRegistry.registerPath(route)
  const gate = createGate(AT_ONCE, WAITING)
  app.post(route.path, async (c) => {
    const partner = await leakPartners.find(header(c, "public-key-identifier"))
    if (partner === undefined) throw unknown()
    return gate(async () => {
      const bytes = await readBytes(c.req.raw, MAX_BYTES)
      if (bytes instanceof Problem) throw bytes
      if (!partner.signed(bytes, header(c, "public-key-signature"))) throw unknown()
      const items = readItems(bytes)
      const keys = items.flatMap((item) => {
        const { data } = LeakedKey.safeParse(item)
        const key = data && readKey(data.token)
        return key === undefined ? [] : [key]
      })
      await reportLeaks(database, partner.name, keys)
      return c.json({ received: items.length }, 202)
    })
  })
  return app
}

function header(c: Context<AppEnv>, name: string): string {
  return c.req.header(`github-${name}`) ?? c.req.header(name) ?? ""
}

function readItems(bytes: Buffer): unknown[] {
  let report: unknown
  try {
    report = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch {}
  if (!Array.isArray(report)) {
    const message = 'Send a JSON array in UTF-8, like [{"token":"…","type":"…","url":"…"}].'
    throw new Problem("INVALID_REQUEST", { message })
  }
  if (report.length > MAX_REPORTED) {
    throw new Problem("TOO_LARGE", {
      message: `A report may have ${MAX_REPORTED} items at most: send it in parts.`,
    })
  }
  return report
}

function unknown(): Problem {
  return new Problem("NOT_FOUND", {
    message:
      "Reports of leaked keys are taken from secret scanners that this deployment knows, with their Github-Public-Key-Identifier and a valid Github-Public-Key-Signature (ECDSA, P-256, SHA-256, over the body).",
  })
}
