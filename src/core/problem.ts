/**
 * The one error class. Its message and details are public; its cause is for the log.
 *
 * Codes are closed: the HTTP contract's, and those with which a command stops.
 */

/** Every code with its HTTP status and default text. Commands exit 1 on any, 2 on `WRONG_USAGE`. */
export const PROBLEMS = {
  INVALID_REQUEST: { status: 400, title: "The request is not valid." },
  INVALID_DOMAIN: { status: 400, title: "That is not a domain name that can be looked up." },
  MISSING_KEY: {
    status: 401,
    title: "Send an API key as 'Authorization: Bearer <key>' or 'x-api-key: <key>'.",
  },
  INVALID_KEY: { status: 401, title: "That API key is not valid." },
  KEY_DISABLED: { status: 401, title: "That API key is disabled." },
  KEY_REVOKED: { status: 401, title: "That API key has been revoked." },
  KEY_EXPIRED: { status: 401, title: "That API key has expired." },
  INSUFFICIENT_SCOPE: { status: 403, title: "That API key lacks the scope for this." },
  ADDRESS_NOT_ALLOWED: { status: 403, title: "That API key may not be used from this address." },
  KEY_SENT_IN_CLEAR: {
    status: 403,
    title: "An API key was sent over plain HTTP. Treat it as exposed: rotate it, and use https.",
  },
  NOT_FOUND: { status: 404, title: "There is nothing here." },
  METHOD_NOT_ALLOWED: { status: 405, title: "That method is not allowed here." },
  CONFLICT: { status: 409, title: "That conflicts with what is already there." },
  GONE: { status: 410, title: "That is no longer here." },
  TOO_LARGE: { status: 413, title: "The request is too large." },
  UNSUPPORTED_TYPE: { status: 415, title: "That content type is not supported." },
  WRONG_HOST: { status: 421, title: "This server does not answer for that host." },
  IDEMPOTENCY_MISMATCH: {
    status: 422,
    title: "That Idempotency-Key was used for a different request.",
  },
  RATE_LIMITED: { status: 429, title: "Too many requests: wait and try again." },
  QUOTA_EXCEEDED: { status: 429, title: "The quota of this period is used up." },
  HEADERS_TOO_LARGE: { status: 431, title: "The request's headers are too large." },
  INTERNAL: { status: 500, title: "Something went wrong on our side." },
  UNAVAILABLE: { status: 503, title: "The service is not available for a moment: try again." },

  WRONG_USAGE: { status: 400, title: "That is not how this command is used." },
  INVALID_SETTING: { status: 500, title: "A setting is not valid." },
  DATA_FOLDER: { status: 500, title: "The data folder cannot be used." },
  DATABASE: { status: 500, title: "The database cannot be used." },
  BACKUP: { status: 500, title: "That backup cannot be made or used." },
  PLATFORM: { status: 500, title: "This platform cannot run that." },
} as const satisfies Record<string, { status: number; title: string }>

export type ProblemCode = keyof typeof PROBLEMS

/** Codes with which commands stop. What they say is for operators: no caller of the API is told. */
export const COMMAND_CODES: ReadonlySet<ProblemCode> = new Set([
  "WRONG_USAGE",
  "INVALID_SETTING",
  "DATA_FOLDER",
  "DATABASE",
  "PLATFORM",
])

export interface ProblemOptions {
  /** Public text in place of the code's own: what is wrong, and what would be right. */
  readonly message?: string
  /** Public machine-readable particulars. */
  readonly details?: Readonly<Record<string, unknown>>
  /** Seconds after which trying again makes sense (`Retry-After`). */
  readonly retryAfterSeconds?: number
  /** For the log, never for the caller. */
  readonly cause?: unknown
}

export class Problem extends Error {
  override readonly name = "Problem"
  readonly code: ProblemCode
  readonly details: Readonly<Record<string, unknown>>
  readonly retryAfterSeconds: number | undefined

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(options.message ?? PROBLEMS[code].title, { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  get status(): number {
    return PROBLEMS[this.code].status
  }
}
