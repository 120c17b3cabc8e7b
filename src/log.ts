/**
 * The log: JSON lines on standard error, for operators.
 *
 * Invariant (L2): what is not in the table of fields cannot be logged, neither by type nor by cast,
 * and no text that is put together while running. So no body, key, address or query of a request
 * is ever written, and of an error only what cannot carry them (`withCauses`).
 */
import { destination, pino } from "pino"
import type { Config } from "./config.ts"
import { withCauses } from "./core/thrown.ts"

/** Every field, and what is written of its value. */
const FIELDS = {
  /** `req_…`, which the answer names too. */
  requestId: (id: `req_${string}`): string => id,
  err: (error: unknown): object => withCauses(error),
  /** The 8 characters of a key by which it is looked up; they may be shown. */
  index8: (index: string): string => index.slice(0, 8),
  /** Of what detectors found: `abuse show` tells the rest. */
  finding: (id: `fnd_${string}`): string => id,
  /** Of the operator's own files and settings, in words; never of a request. */
  notice: (text: string): string => text,
}

export type LogFields = { readonly [K in keyof typeof FIELDS]?: Parameters<(typeof FIELDS)[K]>[0] }

/** Only texts that stand in the code: neither `string` nor a template of one. */
type Literal<Text extends string> = Record<never, never> extends Record<Text, 1> ? never : Text

/** No field besides the table's, also of an object that has a name. */
type Exactly<Fields extends LogFields> = Fields &
  Record<Exclude<keyof Fields, keyof LogFields>, never>

type Write = <const Fields extends LogFields, const Text extends string>(
  fields: Exactly<Fields>,
  message: Literal<Text>,
) => void

export type Log = Readonly<Record<"debug" | "info" | "warn" | "error", Write>>

/** @param level - Least severe level that is written. */
export function openLog(level: Config["logLevel"]): Log {
  const log = pino(
    { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    destination({ dest: 2, sync: true }),
  )
  const write =
    (severity: keyof Log): Write =>
    (fields, message) =>
      log[severity](listed(fields), message)
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") }
}

/** @returns The fields of the table as they are written; others are left out. */
export function listed(fields: LogFields): Record<string, unknown> {
  const written: Record<string, unknown> = {}
  for (const [name, serialise] of Object.entries<(value: never) => unknown>(FIELDS)) {
    const value = fields[name as keyof LogFields]
    if (value !== undefined) written[name] = serialise(value as never)
  }
  return written
}
