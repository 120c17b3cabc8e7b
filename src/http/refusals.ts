/**
 * Answers as the OpenAPI document names them. Every refusal is there with an example for each of
 * its codes, which is what the reference makes its tables from.
 */
import { STATUS_CODES } from "node:http"
import type { z } from "@hono/zod-openapi"
import type { ProblemCode } from "../core/problem.ts"
import { PROBLEMS } from "../core/problem.ts"
import { ProblemDetails, Refusal } from "./contract-refusal.ts"

export const REQUEST_ID = "req_01kar0v9z8fjrbh3p5t7wxyqm4"

/** Headers of an answer, as the document names them. */
const HEADERS = {
  "x-request-id": {
    description: "Names the request; quote it when you ask about it.",
    schema: { type: "string" as const, example: REQUEST_ID },
  },
}

/** Where a key has a rate or a quota, and without a key (draft-ietf-httpapi-ratelimit-headers). */
const LIMITS = {
  "RateLimit-Policy": {
    description:
      "The key's limits: `q` requests in `w` seconds, `q` units of the calendar month. Without a good key those of who asks: `host`, `network` or `all`.",
    schema: { type: "string" as const, example: '"rate";q=50;w=5, "month";q=10000;w=2592000' },
  },
  RateLimit: {
    description: "What is left of each: `r`, and in how many seconds it is whole again: `t`.",
    schema: { type: "string" as const, example: '"rate";r=49;t=1, "month";r=9731;t=604800' },
  },
}

/** @returns The `responses` of a route for the codes it can refuse with, one entry a status. */
export function refusals(...codes: readonly ProblemCode[]) {
  const byStatus = Map.groupBy(codes, (code) => PROBLEMS[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: `${STATUS_CODES[status]}: ${group.map((code) => `\`${code}\``).join(", ")}.`,
        headers: {
          ...HEADERS,
          ...(status === 401 && {
            "WWW-Authenticate": {
              description: "RFC 6750 §3.",
              schema: { type: "string" as const, example: "Bearer" },
            },
          }),
          ...(status === 429 && LIMITS),
          ...((status === 429 || status === 503) && {
            "Retry-After": {
              description: "Seconds after which to try again.",
              schema: { type: "integer" as const, example: 60 },
            },
          }),
        },
        content: {
          "application/json": { schema: Refusal, examples: examples(group, refusal) },
          "application/problem+json": {
            schema: ProblemDetails,
            examples: examples(group, problemDetails),
          },
        },
      },
    ]),
  )
}

type Example = z.infer<typeof Refusal> | z.infer<typeof ProblemDetails>

/** @returns One example a code, named by it. */
function examples(codes: readonly ProblemCode[], body: (code: ProblemCode) => Example) {
  return Object.fromEntries(
    codes.map((code) => [code, { summary: PROBLEMS[code].title, value: body(code) }]),
  )
}

function refusal(code: ProblemCode): z.infer<typeof Refusal> {
  return { error: { code, message: PROBLEMS[code].title, details: {}, request_id: REQUEST_ID } }
}

function problemDetails(code: ProblemCode): z.infer<typeof ProblemDetails> {
  const { status, title } = PROBLEMS[code]
  return {
    type: `urn:zygentrust:problem:${code}`,
    title: STATUS_CODES[status] ?? "",
    status,
    detail: title,
    code,
    details: {},
    request_id: REQUEST_ID,
  }
}

/** What anything under `/v1` can refuse with. */
export const EVERYWHERE = [
  "INVALID_REQUEST",
  "WRONG_HOST",
  "HEADERS_TOO_LARGE",
  "RATE_LIMITED",
  "INTERNAL",
] as const satisfies readonly ProblemCode[]

/** What every route with a key can refuse with. */
export const KEYED = [
  ...EVERYWHERE,
  "MISSING_KEY",
  "INVALID_KEY",
  "KEY_DISABLED",
  "KEY_REVOKED",
  "KEY_EXPIRED",
  "ADDRESS_NOT_ALLOWED",
  "INSUFFICIENT_SCOPE",
  "UNAVAILABLE",
] as const satisfies readonly ProblemCode[]

/** @param examples - Bodies by name; without them, what the schema's own examples make. */
export function answer<T extends z.ZodType>(
  description: string,
  schema: T,
  examples?: Readonly<Record<string, { summary?: string; value: z.infer<T> }>>,
) {
  const content = { "application/json": { schema, ...(examples && { examples }) } }
  return { description, headers: HEADERS, content }
}
