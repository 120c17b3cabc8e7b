/**
 * Plain HTTP (T3): 308 to the same path over HTTPS on the configured host, for every method; 403
 * without Location for a request that carries a well-formed key, whether or not the key exists.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import { encodeId, newUuid } from "../core/ids.ts"
import { Problem } from "../core/problem.ts"
import { NO_STORE, PLAIN_HEADERS } from "./headers.ts"
import type { Refusal } from "./refusal.ts"

/** Every well-formed key inside a text, by syntax alone and however it is encoded. */
export type FindKeys = (text: string) => readonly string[]

/** @returns Every well-formed key in the target or in any header. */
export function keysInClear(
  { url = "", rawHeaders }: Pick<IncomingMessage, "url" | "rawHeaders">,
  findKeys: FindKeys,
): string[] {
  return [...new Set([url, ...rawHeaders].flatMap(findKeys))]
}

/** @param onKey - Called after this turn, once a key. @returns The refusal if there is a key. */
export function refuseKeys(
  request: IncomingMessage,
  findKeys: FindKeys,
  onKey: (key: string) => void,
): Refusal | undefined {
  const keys = keysInClear(request, findKeys)
  if (keys.length === 0) return undefined
  for (const key of keys) setImmediate(onKey, key)
  return { status: 403, problem: new Problem("KEY_SENT_IN_CLEAR") }
}

/**
 * @param origin - `https://host[:port]`, without a slash at the end. What follows begins with `/`,
 * so no request can lead to another host.
 */
export function redirectTo(origin: string) {
  return ({ url = "*" }: IncomingMessage, response: ServerResponse): void => {
    response
      .writeHead(308, {
        ...PLAIN_HEADERS,
        "cache-control": NO_STORE,
        "content-length": "0",
        location: url === "*" ? `${origin}/` : origin + url,
        "x-request-id": encodeId("req", newUuid()),
      })
      .end()
  }
}
