/** The headers that every answer carries, whoever makes it: the app, the edge, the HTTP parser. */

/**
 * Protections of every HTTPS answer. HSTS as the preload list wants it (a year, subdomains, RFC
 * 6797 §6.1); the policy fits JSON, and pages put their own in its place.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
})

const { "strict-transport-security": _, ...rest } = SECURITY_HEADERS

/** The same for plain HTTP, where HSTS must not be sent (RFC 6797 §7.2). */
export const PLAIN_HEADERS: Readonly<Record<string, string>> = Object.freeze(rest)

/** For everything with a credential, and for refusals. */
export const NO_STORE = "private, no-store"
