/**
 * The way of a request with a key: read the key → validate → admit → work → record → answer.
 *
 * Invariant: an answer to a known tenant has its usage row, committed before its last byte. A key
 * that is not good is told so before anything about the request is (401 before 400).
 */
import type { z } from "@hono/zod-openapi"
import type { Context } from "hono"
import type { Admission } from "../admission/admission.ts"
import type { Arrival, Caller, Limits } from "../admission/batch.ts"
import { latencyBucket } from "../admission/batch.ts"
import type { Asker } from "../analyses/analyst.ts"
import { encodeId } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import type { Route } from "../usage/report.ts"
import type { Sent } from "./body.ts"
import { readBody } from "./body.ts"
import { credentials } from "./credentials.ts"
import { METERING } from "./metering.ts"
import type { AppEnv, Parts } from "./parts.ts"

export interface Metered<Query, Body> {
  readonly route: Route
  readonly query: z.ZodType<Query>
  /** Of what is sent with it; without one, nothing is read. */
  readonly body?: z.ZodType<Body>
  /** @returns The body of a 200 or 201. A Problem that it throws is the answer. */
  work(query: Query, asker: Request & Asker, sent: Sent<Body>): Promise<Done>
}

interface Done {
  readonly body: string
  readonly cacheHit: boolean
  readonly status?: 200 | 201
  /** Media type; by default JSON's. */
  readonly type?: string
}

/** What `work` may know of the request besides its query. */
interface Request {
  /** `req_…`. */
  readonly requestId: string
  /** Path and query, as sent. */
  readonly target: string
  /** UUID of the key that asks. */
  readonly keyId: string
  /** What stands in the path for `{id}`. */
  readonly id: string
  /** The header, as sent. */
  readonly accept: string | undefined
}

/** @returns A handler for Hono. */
export function metered<Query, Body = undefined>(
  { admissions, handshakes, networks }: Parts,
  { route, query, body: schema, work }: Metered<Query, Body>,
) {
  return async (c: Context<AppEnv>): Promise<Response> => {
    const started = performance.now()
    const requestUuid = c.get("requestUuid")
    const target = c.req.url.slice(new URL(c.req.url).origin.length)
    const key = credentials(target, c.req.header("authorization"), c.req.header("x-api-key"))
    const admission = admissions[key.environment]
    const bucket = () => latencyBucket(performance.now() - started)

    const asked = readQuery(query, target)
    const sent =
      schema === undefined
        ? ({ body: undefined, attempt: undefined } as Sent<Body>)
        : await readBody(c.req.raw, target, schema)
    const showLimits = (limits: Limits | undefined) => c.set("limits", limits)
    const invalid = [asked, sent].find((read) => read instanceof Problem)
    const { tenantId, keyId, admittedAt } = await admit(admission, showLimits, {
      ...key,
      caller: admission.callerOf(key.digest),
      requestId: requestUuid,
      ...METERING[route],
      address: c.env.incoming?.socket.remoteAddress,
      ...(invalid && {
        outcome: { status: invalid.status, latencyBucket: bucket(), cacheHit: false },
      }),
    })
    if (c.env.incoming) {
      networks[key.environment].see({ tenantId, keyId }, c.env.incoming.socket)
      handshakes.welcome(c.env.incoming.socket)
    }
    if (asked instanceof Problem || sent instanceof Problem) throw invalid

    const finish = (status: number, cacheHit: boolean) =>
      admission.finish({
        tenantId,
        admittedAt,
        requestId: requestUuid,
        status,
        latencyBucket: bucket(),
        cacheHit,
      })
    const requestId = encodeId("req", requestUuid)
    const id = c.req.param("id") ?? ""
    const accept = c.req.header("accept")
    const asker = { environment: key.environment, tenantId, keyId, requestId, target, id, accept }
    const {
      body,
      cacheHit,
      status = 200,
      type = "application/json",
    } = await work(asked, asker, sent).catch(async (error: unknown) => {
      const refused = error instanceof Problem ? error.status : 500
      const finished = finish(refused, false)
      // Without its database nobody is made to wait a second time; the row is there, and follows.
      if (refused === 503) finished.catch(() => {})
      else await finished
      throw error
    })
    await finish(status, cacheHit)
    return c.body(body, status, { "content-type": type })
  }
}

function admit(
  admission: Admission,
  showLimits: (limits: Limits | undefined) => void,
  arrival: Arrival,
): Promise<Caller & { readonly admittedAt: string }> {
  return new Promise((resolve, reject) => {
    admission.admit(arrival, (result, admittedAt, limits) => {
      showLimits(limits)
      if (result instanceof Problem) reject(result)
      else resolve({ ...result, admittedAt })
    })
  })
}

/** Reads a query strictly: what is unknown, repeated or malformed is refused by name. */
function readQuery<Query>(schema: z.ZodType<Query>, target: string): Query | Problem {
  const parameters = queryOf(target)
  const values: Record<string, string> = Object.create(null) // no inherited names
  for (const [name, value] of parameters) {
    if (name in values) return invalid(name, `The parameter '${name}' is given twice.`)
    values[name] = value
  }
  const result = schema.safeParse(values)
  if (result.success) return result.data
  const [issue] = result.error.issues
  if (issue?.code === "unrecognized_keys") {
    const [name = ""] = issue.keys
    return invalid(name, `There is no parameter '${name}'.`)
  }
  const name = String(issue?.path[0] ?? "")
  return name in values
    ? invalid(name, `The parameter '${name}' ${wording(issue)}.`)
    : invalid(name, `The parameter '${name}' is missing.`)
}

/** A query may hold further question marks (RFC 3986 §3.4). */
function queryOf(target: string): URLSearchParams {
  const start = target.indexOf("?")
  return new URLSearchParams(start === -1 ? "" : target.slice(start + 1))
}

function wording(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === "invalid_value") return `is not one of: ${issue.values.join(", ")}`
  return issue?.message ?? "is not valid"
}

function invalid(parameter: string, message: string): Problem {
  return new Problem("INVALID_REQUEST", { message, details: { parameter } })
}
