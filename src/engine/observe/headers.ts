/** Which response headers an observation keeps, and how much of them: what tells of the site. */
import { isUtf8 } from "node:buffer"
import { cut } from "./text.ts"

const KEPT: ReadonlySet<string> = new Set([
  "cf-mitigated",
  "content-security-policy",
  "content-security-policy-report-only",
  "content-type",
  "cross-origin-opener-policy",
  "location",
  "permissions-policy",
  "referrer-policy",
  "retry-after",
  "server",
  "set-cookie",
  "strict-transport-security",
  "www-authenticate",
  "x-content-type-options",
  "x-frame-options",
  "x-powered-by",
])
const MAX_VALUES = 20
const MAX_LENGTH = 4096

/**
 * @param headers - Names in lower case, the values of repeated headers apart.
 * @returns The kept ones. Of a cookie, name and attributes, not its value.
 */
export function keptHeaders(
  headers: Readonly<Record<string, readonly string[] | undefined>>,
): Record<string, readonly string[]> {
  const kept: Record<string, readonly string[]> = {}
  for (const [name, values = []] of Object.entries(headers)) {
    if (!KEPT.has(name)) continue
    kept[name] = values
      .slice(0, MAX_VALUES)
      .map((value) => (name === "set-cookie" ? withoutCookieValue(value) : value))
      .map((value) => (name === "location" ? fromBytes(value) : value))
      .map((value) => cut(value, MAX_LENGTH))
  }
  return kept
}

/** Node reads a header's bytes as Latin-1; where they are UTF-8, browsers read that in a URL. */
function fromBytes(value: string): string {
  const bytes = Buffer.from(value, "latin1")
  return isUtf8(bytes) ? bytes.toString("utf8") : value
}

/** @param cookie - `sid=abc; Path=/; Secure`. @returns `sid=; Path=/; Secure`. */
export function withoutCookieValue(cookie: string): string {
  const [pair = "", ...attributes] = cookie.split(";")
  const name = pair.includes("=") ? pair.slice(0, pair.indexOf("=") + 1).trim() : "="
  return [name, ...attributes.map((attribute) => attribute.trim())].join("; ")
}
