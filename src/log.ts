/**
 * The log: JSON lines on standard error, for operators.
 *
 * Invariant (L2): no body, key, address or query of a request is ever written. Of an error, only
 * what cannot carry them: its name, its code, where it came from, and the same of its causes. Its
 * message can (a database quotes values, a parser its input).
 */
import type { Logger } from "pino"
import { destination, pino } from "pino"
import type { Config } from "./config.ts"
import { codeOf } from "./core/thrown.ts"

export type Log = Logger

const MAX_CAUSES = 5

/** @param level - Least severe level that is written. */
export function openLog(level: Config["logLevel"]): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      serializers: { err: (error: unknown) => withCauses(error) },
    },
    destination({ dest: 2, sync: true }),
  )
}

/** @returns An error and its causes, outermost first. */
export function withCauses(error: unknown): readonly object[] {
  const told: object[] = []
  for (let at = error; at instanceof Error && told.length < MAX_CAUSES; at = at.cause) {
    const frames = at.stack?.match(/^ {4}at .*$/gm)?.map((frame) => frame.trim())
    told.push({ name: at.name, code: codeOf(at), frames })
  }
  return told
}
