/** What a check of `zygentrust doctor` says. */

export interface Diagnosis {
  /** What was looked at, in a word or two. */
  readonly check: string
  /** `warn`: works, but look at it. `fail`: something will not work. */
  readonly status: "ok" | "warn" | "fail"
  /** What was seen. */
  readonly message: string
  /** What to do, when there is something. */
  readonly advice?: string
}

export function ok(check: string, message: string): Diagnosis {
  return { check, status: "ok", message }
}

export function warn(check: string, message: string, advice: string): Diagnosis {
  return { check, status: "warn", message, advice }
}

export function fail(check: string, message: string, advice: string): Diagnosis {
  return { check, status: "fail", message, advice }
}
