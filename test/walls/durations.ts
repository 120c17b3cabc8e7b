/**
 * Whether two things take different times, on a machine that does other work as well.
 *
 * Taken in turn, in an order drawn by a seed, so that what slows the machine down for a while slows
 * both down. Then ranks, never milliseconds: over all (Mann-Whitney), and which of the two the
 * quickest quarter belongs to, which a busy machine disturbs least, and a patient attacker looks at.
 */

/** Of each, in the first look; each look after it takes as many again as all before. */
const FIRST = 60
/** Standard deviations: by chance alone, once in some 15,000 looks… */
const SUSPICIOUS = 4
/** …and a suspicion must show again among as many new ones, the same way round. */
const CONFIRMED = 3
const QUICKEST = 1 / 4

export interface Comparison {
  readonly differ: boolean
  /** Of the last look, in standard deviations; above zero where the first takes longer. */
  readonly z: number
  readonly medianDifferenceMs: number
  /** Of each. */
  readonly runs: number
  readonly looks: number
}

type Sample = readonly [one: number, other: number]

/**
 * @param one - Does the thing once and returns its milliseconds; `run` counts from 0.
 * @param random - Uniform, from 0 up to 1.
 * @param maxLooks - After them, the two are said not to differ.
 */
export async function compareDurations(
  one: (run: number) => Promise<number>,
  other: (run: number) => Promise<number>,
  random: () => number,
  maxLooks: number,
): Promise<Comparison> {
  const samples: Sample[] = []
  const measure = async (runs: number) => {
    for (let i = 0; i < runs; i++) {
      const run = samples.length
      if (random() < 0.5) {
        const first = await one(run)
        samples.push([first, await other(run)])
      } else {
        const first = await other(run)
        samples.push([await one(run), first])
      }
    }
    return samples.slice(-runs)
  }
  const result = (differ: boolean, z: number, looks: number): Comparison => ({
    differ,
    z,
    medianDifferenceMs: median(samples.map(([a]) => a)) - median(samples.map(([, b]) => b)),
    runs: samples.length,
    looks,
  })
  let z = 0
  for (let look = 1; look <= maxLooks; look++) {
    await measure(Math.max(FIRST, samples.length))
    z = deviation(samples)
    if (Math.abs(z) < SUSPICIOUS) continue
    const again = deviation(await measure(samples.length))
    if (Math.abs(again) >= CONFIRMED && Math.sign(again) === Math.sign(z)) {
      return result(true, again, look)
    }
  }
  return result(false, z, maxLooks)
}

/** @returns By how many standard deviations the first of each pair tends to be the longer. */
export function deviation(samples: readonly Sample[]): number {
  const n = samples.length
  const ranked = samples
    .flatMap(([one, other]) => [
      { ms: one, isFirst: true },
      { ms: other, isFirst: false },
    ])
    .sort((a, b) => a.ms - b.ms)
  let rankSum = 0
  for (const [index, { isFirst }] of ranked.entries()) if (isFirst) rankSum += index + 1
  const overall = (rankSum - (n * (2 * n + 1)) / 2) / Math.sqrt((n * n * (2 * n + 1)) / 12)
  const quick = Math.floor(2 * n * QUICKEST)
  const firsts = ranked.slice(0, quick).filter(({ isFirst }) => isFirst).length
  // Drawn without putting back: the hypergeometric variance.
  const spread = Math.sqrt((quick * (2 * n - quick)) / (4 * (2 * n - 1)))
  const quickest = spread === 0 ? 0 : (quick / 2 - firsts) / spread
  return Math.abs(overall) > Math.abs(quickest) ? overall : quickest
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}
