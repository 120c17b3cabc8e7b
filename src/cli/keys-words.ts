/** How commands about keys read times and durations. */
import { wrongUsage } from "./cli.ts"

const UNIT_SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const

/** RFC 3339 §5.6, with its zone: without one, it would be this machine's. */
const TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

/** @throws Problem `WRONG_USAGE` for what is no time to come. */
export function readExpiry(what: string, text: string): Date {
  const time = new Date(TIME.test(text) ? text : Number.NaN)
  if (time.getTime() > Date.now()) return time
  throw wrongUsage(`${what} takes a time to come, like 2031-01-31T00:00:00Z`)
}

/** @returns Seconds. @throws Problem `WRONG_USAGE` */
export function readDuration(what: string, text: string, maxSeconds: number): number {
  const [, digits, unit] = /^(\d{1,7})([smhd])$/.exec(text) ?? []
  const seconds = Number(digits) * UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS]
  if (seconds > 0 && seconds <= maxSeconds) return seconds
  throw wrongUsage(
    `${what} takes a duration like 90s, 30m, 24h or 7d, ${maxSeconds / 86_400}d at most`,
  )
}
