/** Progress of a backup or restore on standard error: a line rewritten, or now and then a new one. */
import type { Cli } from "./cli.ts"
import { bar } from "./report-digits.ts"
import { fit } from "./report-text.ts"

const DRAW_MS = 100
const SAY_MS = 10_000
const BAR_COLUMNS = 20
const MIB = 1_048_576
const CLEAR_LINE = "\r\u001b[2K"

export interface Step {
  /** What is at work: a table. */
  readonly part: string
  readonly bytes: number
  /** Roughly; undefined where it is not known. */
  readonly ofBytes?: number
}

/** @returns What to tell steps, and how to end: clears the line. */
export function backupProgress({ terminal, err }: Pick<Cli, "terminal" | "err">): {
  step(step: Step): void
  end(): void
} {
  const { interactive, columns } = terminal
  let next = performance.now() + (interactive ? 0 : SAY_MS)
  return {
    step(step) {
      const now = performance.now()
      if (now < next) return
      next = now + (interactive ? DRAW_MS : SAY_MS)
      const line = fit(stepLine(step), columns - 1).trimEnd()
      if (interactive) process.stderr.write(`${CLEAR_LINE}${line}`)
      else err(line)
    },
    end() {
      if (interactive) process.stderr.write(CLEAR_LINE)
    },
  }
}

function stepLine({ part, bytes, ofBytes }: Step): string {
  const size = `${(bytes / MIB).toFixed(0)} MiB`
  if (ofBytes === undefined || ofBytes === 0) return `${size}  ${part}`
  const { full, rest } = bar(Math.min(1, bytes / ofBytes), BAR_COLUMNS)
  return `${full}${rest} ${size} of about ${(ofBytes / MIB).toFixed(0)}  ${part}`
}

export function sizeText(bytes: number): string {
  return bytes < MIB ? `${Math.ceil(bytes / 1_024)} KiB` : `${(bytes / MIB).toFixed(1)} MiB`
}
