/**
 * Progress of an observation on a terminal: one line of standard error, rewritten, and gone when
 * it ends. The cursor is never hidden, so nothing needs restoring when the program is killed.
 */
import type { WriteStream } from "node:tty"
import { styleText } from "node:util"
import type { Progress } from "../engine/types.ts"
import { bar } from "./report-digits.ts"
import { fit } from "./report-text.ts"

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]
const FRAME_MS = 100
const BAR_COLUMNS = 20
const CLEAR_LINE = "\r\u001b[2K"

/** @returns What the observer tells its steps, and how to end: clears the line. */
export function showProgress(
  title: string,
  stream: Pick<WriteStream, "write" | "columns"> = process.stderr,
): { step: Progress; end: () => void } {
  let latest: Parameters<Progress>[0] | undefined
  let frame = 0
  const draw = () => {
    const mark = FRAMES[frame % FRAMES.length] ?? ""
    const line = progressLine(title, latest, (stream.columns ?? 80) - 3)
    const painted = styleText("cyan", mark, { stream: process.stderr })
    stream.write(`${CLEAR_LINE}${painted} ${line}`)
  }
  draw()
  const timer = setInterval(() => {
    frame++
    draw()
  }, FRAME_MS)
  return {
    step: (step) => {
      latest = step
      draw()
    },
    end: () => {
      clearInterval(timer)
      stream.write(CLEAR_LINE)
    },
  }
}

/** `example.com ████░░░░ 13/27 tls`, cut to the width, so that it never wraps. */
export function progressLine(
  title: string,
  step: Parameters<Progress>[0] | undefined,
  columns: number,
): string {
  if (step === undefined) return fit(title, columns).trimEnd()
  const { full, rest } = bar(step.done / step.of, BAR_COLUMNS)
  const line = `${title} ${full}${rest} ${step.done}/${step.of} ${step.part}`
  return fit(line, columns).trimEnd()
}
