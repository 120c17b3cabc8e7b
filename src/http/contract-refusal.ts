/** The shapes of a refusal: the contract's own, and RFC 9457's. */
import { z } from "@hono/zod-openapi"
import type { ProblemCode } from "../core/problem.ts"
import { PROBLEMS } from "../core/problem.ts"
import { field, requestId } from "./contract.ts"

/** Codes with which a command stops, never a request. */
const COMMAND_ONLY: readonly ProblemCode[] = [
  "WRONG_USAGE",
  "INVALID_SETTING",
  "DATA_FOLDER",
  "DATABASE",
  "BACKUP",
  "PLATFORM",
]
const codes = (Object.keys(PROBLEMS) as ProblemCode[]).filter(
  (code) => !COMMAND_ONLY.includes(code),
)

export const Refusal = z
  .object({
    error: z.object({
      code: field(
        z.enum(codes as [ProblemCode, ...ProblemCode[]]),
        "What to branch on. The list is closed.",
        "INVALID_DOMAIN",
      ),
      message: field(
        z.string(),
        "What is wrong, and what would be right; for people.",
        PROBLEMS.INVALID_DOMAIN.title,
      ),
      details: field(z.record(z.string(), z.unknown()), "Particulars, by code.", {}),
      request_id: requestId,
    }),
  })
  .openapi("Refusal", { description: "Why a request was refused." })

/** RFC 9457, sent where `Accept` names `application/problem+json`. */
export const ProblemDetails = z
  .object({
    type: field(z.string(), "Names the code.", "urn:zygentrust:problem:INVALID_DOMAIN"),
    title: field(z.string(), "The status in words.", "Bad Request"),
    status: field(z.int(), "The HTTP status.", 400),
    detail: field(
      z.string(),
      "What is wrong, and what would be right; for people.",
      PROBLEMS.INVALID_DOMAIN.title,
    ),
    code: field(z.string(), "As in `Refusal`.", "INVALID_DOMAIN"),
    details: field(z.record(z.string(), z.unknown()), "As in `Refusal`.", {}),
    request_id: requestId,
  })
  .openapi("ProblemDetails", { description: "A refusal in the form of RFC 9457." })
