/** Strangers' text, made safe to store: well-formed, one line, bounded. */

/** @returns The text without control characters, whitespace folded and trimmed, cut at `max`. */
export function plainText(text: string, max: number): string {
  return cut(
    text
      .slice(0, max * 4)
      .replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
      .trim(),
    max,
  )
}

/** @returns The first `max` UTF-16 units, without half a surrogate pair at the end or anywhere. */
export function cut(text: string, max: number): string {
  const head = text.slice(0, max)
  const whole = /[\ud800-\udbff]$/.test(head) ? head.slice(0, -1) : head
  return whole.toWellFormed()
}

/** @returns RFC 3339 in UTC, or undefined when the date is none of the years 0 to 9999. */
export function rfc3339(date: Date): string | undefined {
  if (Number.isNaN(date.getTime())) return undefined
  const text = date.toISOString()
  return text.length === 24 ? text : undefined
}
