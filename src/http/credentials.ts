/**
 * Which key a request carries.
 *
 * Owns: where a key may stand (RFC 6750 §2.1, or `x-api-key`), and where not. Not: whether it is
 * good (admission/).
 */
import { Problem } from "../core/problem.ts"
import type { KeyParts } from "../keys/format.ts"
import { findKeys, readKey } from "../keys/format.ts"

/**
 * @param target - Path and query as sent.
 * @throws Problem `MISSING_KEY`, `INVALID_KEY`, or `INVALID_REQUEST` for two keys or one in the
 *   address, where logs and histories keep it.
 */
export function credentials(
  target: string,
  authorization: string | undefined,
  apiKey: string | undefined,
): KeyParts {
  if (findKeys(target).length > 0) throw keyInAddress()
  // Node joins two headers of one name with a comma.
  if ((authorization !== undefined && apiKey !== undefined) || apiKey?.includes(",")) {
    throw new Problem("INVALID_REQUEST", {
      message: "Send the key once: as 'Authorization: Bearer <key>' or as 'x-api-key: <key>'.",
    })
  }
  const text = sentKey(authorization, apiKey)
  if (text === undefined) throw new Problem("MISSING_KEY")
  const key = readKey(text)
  if (key === undefined) {
    throw new Problem("INVALID_KEY", {
      message:
        "That is not an API key of this service: one starts with zt_live_ or zt_test_ and has 57 characters. Was it cut when it was copied?",
    })
  }
  return key
}

/** @returns What stands where a key should. */
export function sentKey(
  authorization: string | undefined,
  apiKey: string | undefined,
): string | undefined {
  return apiKey ?? authorization?.match(/^Bearer +([^ ]+) *$/i)?.[1]
}

/** The Problem of a key in the query or path of a request. */
export function keyInAddress(): Problem {
  return new Problem("INVALID_REQUEST", {
    message:
      "An API key stands in the address, where logs and histories keep it. Treat it as exposed: rotate it, and send the new one in a header.",
  })
}
