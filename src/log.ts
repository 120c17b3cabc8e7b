/**
 * The log: JSON lines on standard error, for operators.
 *
 * Invariant (L2): no body, key, address or query of a request is ever written; errors are logged
 * by request id.
 */
import type { Logger } from "pino"
import { destination, pino } from "pino"
import type { Config } from "./config.ts"

export type Log = Logger

/** @param level - Least severe level that is written. */
export function openLog(level: Config["logLevel"]): Log {
  return pino(
    { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    destination({ dest: 2, sync: true }),
  )
}
