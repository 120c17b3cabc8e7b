/**
 * The end of a program in which something was thrown that nobody caught, and what Node warns of.
 *
 * Node would print errors whole, with messages and fields, which can hold anything (S2). Here one
 * line of JSON in the log's form says what cannot.
 */
import { withCauses } from "../core/thrown.ts"

const FATAL = 60
const WARN = 40

/** Must come before anything else can throw. */
export function crashQuietly(): void {
  process.on("uncaughtException", (error) => {
    tell(FATAL, error, "stopped by what nobody caught")
    process.exit(1)
  })
  process.removeAllListeners("warning")
  process.on("warning", (warning) => tell(WARN, warning, "Node warns"))
}

function tell(level: number, error: unknown, msg: string): void {
  const time = new Date().toISOString()
  process.stderr.write(`${JSON.stringify({ level, time, err: withCauses(error), msg })}\n`)
}
