/** Whether a figure that was taken again and again grew: the first quarter, which fills caches, apart. */

export interface Slack {
  /** Of the earlier figure. */
  readonly share: number
  readonly plus: number
}

/** @returns What grew from the second quarter to the last, in words; undefined where it is flat. */
export function growth(name: string, figures: readonly number[], slack: Slack): string | undefined {
  const quarter = Math.floor(figures.length / 4)
  if (quarter === 0) throw new Error("too few figures")
  const before = median(figures.slice(quarter, 2 * quarter))
  const after = median(figures.slice(-quarter))
  return after > before * (1 + slack.share) + slack.plus
    ? `${name} grew from ${before} to ${after}`
    : undefined
}

function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
