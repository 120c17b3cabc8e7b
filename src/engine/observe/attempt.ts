/**
 * One try at something over the network: it ends once, by its result, its own time or the
 * observation's, and leaves no timer and no listener behind.
 */
import { codeOf } from "../../core/thrown.ts"
import type { Known, Why } from "../types.ts"

type Stop = (result: Known<unknown>) => void

/**
 * @param signal - The whole observation's; when it fires the result is unknown: `deadline`.
 * @param timeoutMs - This try's own time; past it the result is unknown: `timeout`.
 * @param start - Begins, calls `done` with the result, and returns what to do at the end, however
 *   it came: close what was opened.
 */
export function attempt<T>(
  signal: AbortSignal,
  timeoutMs: number,
  start: (done: (result: Known<T>) => void) => Stop,
): Promise<Known<T>> {
  if (signal.aborted) return Promise.resolve({ unknown: "deadline" })
  return new Promise((resolve) => {
    let result: Known<T> | undefined
    let stop: Stop | undefined
    const done = (how: Known<T>) => {
      if (result !== undefined) return
      result = how
      clearTimeout(timer)
      signal.removeEventListener("abort", onAbort)
      stop?.(how)
      resolve(how)
    }
    const onAbort = () => done({ unknown: "deadline" })
    const timer = setTimeout(() => done({ unknown: "timeout" }), timeoutMs)
    signal.addEventListener("abort", onAbort)
    stop = start(done)
    if (result !== undefined) stop(result)
  })
}

const WHY: Readonly<Record<string, Why>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "refused",
  ECONNABORTED: "refused",
  EPIPE: "refused",
  ETIMEDOUT: "timeout",
  HPE_HEADER_OVERFLOW: "too_large",
  HPE_INVALID_EOF_STATE: "refused",
}

/** @returns What a system's or the HTTP parser's error says about why nothing was seen. */
export function whyOf(error: unknown): Why {
  const code = codeOf(error) ?? ""
  return WHY[code] ?? (code.startsWith("HPE_") ? "malformed" : "unreachable")
}
