/**
 * Time-outs and sizes of the edge: what a slow, idle or oversized peer may take.
 *
 * Not here: caps of single routes (the app's), rates and quotas (admission/).
 */

export interface Limits {
  /** From connecting to a finished TLS handshake. */
  readonly handshakeTimeoutMs: number
  /** A key that seals session tickets lives so long: who gets it opens TLS 1.2 of that time. */
  readonly ticketKeyLifeMs: number
  /** From a request's first byte to the end of its headers. */
  readonly headersTimeoutMs: number
  /** From a request's first byte to its last. */
  readonly requestTimeoutMs: number
  /** Between the end of an answer and the next request's first byte. */
  readonly keepAliveTimeoutMs: number
  /** Without a byte in either direction. Longer than the longest work behind an answer. */
  readonly silenceTimeoutMs: number
  /** How long a closing connection still reads, so that the peer gets the answer (RFC 9112 §9.6). */
  readonly lingerMs: number
  /** Who sends on an idle connection just as the server stops is still answered for so long. */
  readonly partingMs: number
  /** How often the time-outs of HTTP/1 requests are looked at. */
  readonly checkIntervalMs: number
  /** Request line and headers together. */
  readonly maxHeaderBytes: number
  readonly maxHeaderCount: number
  /** Announced by Content-Length; routes cap what they read far below. */
  readonly maxBodyBytes: number
  /** Open connections a port; more are dropped. */
  readonly maxConnections: number
  /** Requests at the same time on one HTTP/2 connection. */
  readonly maxConcurrentStreams: number
}

export const LIMITS: Limits = Object.freeze({
  handshakeTimeoutMs: 10_000,
  ticketKeyLifeMs: 3_600_000,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 65_000,
  silenceTimeoutMs: 150_000,
  lingerMs: 2_000,
  partingMs: 1_000,
  checkIntervalMs: 1_000,
  maxHeaderBytes: 16_384,
  maxHeaderCount: 100,
  maxBodyBytes: 10_485_760,
  maxConnections: 10_000,
  maxConcurrentStreams: 100,
})
