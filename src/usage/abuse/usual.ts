/**
 * What is usual, by statistics that a few strange days do not move: medians, and the median distance
 * from them (MAD), in place of means and deviations.
 */

export interface Counted {
  /** Start of the hour, milliseconds since the epoch. */
  readonly hour: number
  readonly count: number
}

export interface Usual {
  readonly usual: number
  /** That were seen. */
  readonly days: number
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
export const HISTORY_DAYS = 28
const WEEKS = HISTORY_DAYS / 7
/** Makes a MAD comparable with a standard deviation. */
const MAD_SCALE = 1.4826
const SPREADS = 3

/**
 * @param history - Hours in any order; those of the hour's own day do not count, or an attack would
 *   become usual while it lasts.
 * @returns The greater of a day's busiest hour, and of this hour of the week give or take one (a batch on
 *   Sunday nights, also across a change of clocks); and how many days were seen.
 */
export function usualHour(history: readonly Counted[], hour: number): Usual {
  const today = Math.floor(hour / DAY_MS) * DAY_MS
  const peaks = new Map<number, number>()
  const rhythm: number[] = []
  let first = today
  for (const { hour: at, count } of history) {
    if (at >= today || at < today - HISTORY_DAYS * DAY_MS) continue
    first = Math.min(first, at)
    const day = Math.floor(at / DAY_MS)
    if (count > (peaks.get(day) ?? 0)) peaks.set(day, count)
    const week = Math.round((hour - at) / (7 * DAY_MS))
    const near = Math.abs(hour - at - week * 7 * DAY_MS) <= HOUR_MS
    if (near && week >= 1 && week <= WEEKS) rhythm[week] = Math.max(rhythm[week] ?? 0, count)
  }
  const weeks = Math.floor((hour - first) / (7 * DAY_MS))
  const ofWeek = Array.from({ length: Math.min(WEEKS, weeks) }, (_, n) => rhythm[n + 1] ?? 0)
  return {
    usual: Math.max(usualOf([...peaks.values()]), median(ofWeek)),
    days: (today - first) / DAY_MS,
  }
}

/** @returns What values seldom exceed. 0 without any. */
export function usualOf(values: readonly number[]): number {
  const middle = median(values)
  const spread = MAD_SCALE * median(values.map((value) => Math.abs(value - middle)))
  return middle + SPREADS * spread
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  const upper = sorted[Math.floor(half)] ?? 0
  return Number.isInteger(half) ? ((sorted[half - 1] ?? 0) + upper) / 2 : upper
}
