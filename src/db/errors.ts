/** What the database's errors mean: SQLSTATE (PostgreSQL, appendix A) and sockets → Problem. */
import { Problem } from "../core/problem.ts"
import { codeOf } from "../core/thrown.ts"

/** What to do where a login is refused or its password is not known. */
export const SET_UP =
  "Run 'bin/zygentrust migrate --bootstrap' with ZT_ADMIN_DATABASE_URL, or use the data folder it was set up from."

/** Connections, resources, shutdowns, deadlocks, time-outs and a server that only reads pass by themselves. */
const PASSING = /^(08|53|57P|40)|^(57014|55P03|25P03|25006)$/

export const DISK_FULL = "53100"

/** A file is missing or cannot be read, or what is in it is corrupt. */
const DAMAGED = /^(58|XX00[12])/

/** What Node's sockets say when nobody answers. */
const UNREACHABLE =
  /^(ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/

/** What the driver says, without any code, when a connection breaks or none is to be had. */
const BROKEN = /connection|timeout|not queryable|closed/i

/** @returns The SQLSTATE of an error, or of what a Problem was made of. */
export function sqlState(error: unknown): string | undefined {
  const code = codeOf(origin(error))
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

/** @returns Whether the database or the login that was asked for is not there (yet). */
export function isUnknown(error: unknown): boolean {
  const state = sqlState(error)
  return (state === "3D000" || state === "28P01" || state === "28000") && !isDamaged(error)
}

/** @returns Whether a problem that {@link databaseProblem} made passes by itself. */
export function isPassing(problem: unknown): problem is Problem {
  return problem instanceof Problem && problem.code === "UNAVAILABLE"
}

/** `UNAVAILABLE`: no connection was to be had, so that nothing was sent. */
export class NotConnected extends Problem {
  constructor(cause: unknown) {
    super("UNAVAILABLE", { retryAfterSeconds: 1, cause })
  }
}

/** @returns `UNAVAILABLE` for what passes, `DATABASE` for a refused login, all else as it came. */
export function databaseProblem(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Problem) return error
  const code = codeOf(error)
  const passing =
    code === undefined ? BROKEN.test(error.message) : PASSING.test(code) || UNREACHABLE.test(code)
  if (passing) return new Problem("UNAVAILABLE", { retryAfterSeconds: 1, cause: error })
  if (isDamaged(error)) {
    return new Problem("DATABASE", {
      message: `The database's files are damaged (${error.message}). Restore them from a backup.`,
      cause: error,
    })
  }
  if (isUnknown(error)) {
    return new Problem("DATABASE", {
      message: `The database refuses the login (${error.message}). ${SET_UP}`,
      cause: error,
    })
  }
  return error
}

/** A database whose folder is gone is said not to exist; only the detail says more. */
function isDamaged(error: unknown): boolean {
  const cause = origin(error)
  const code = codeOf(cause) ?? ""
  const detail = cause instanceof Error && "detail" in cause ? String(cause.detail) : ""
  return DAMAGED.test(code) || (code === "3D000" && detail.includes("missing"))
}

function origin(error: unknown): unknown {
  return error instanceof Problem ? error.cause : error
}
