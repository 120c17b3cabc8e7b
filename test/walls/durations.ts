/**
 * Whether two things take different times, on a machine that does other work as well.
 *
 * Pairs, each in an order drawn by a seed, and a Wilcoxon signed-rank test of their differences:
 * what slows the machine down for a while slows both down. Nothing is said about absolute times.
 */

/** Pairs of a first look; each look after it takes as many again as all before. */
const FIRST_PAIRS = 60
const LOOKS = 4
/** Standard deviations: by chance alone, once in some 15,000 looks… */
const SUSPICIOUS = 4
/** …and a suspicion must show again among new pairs, the same way round. */
const CONFIRMED = 3

export interface Comparison {
  readonly differ: boolean
  /** Of the last look, in standard deviations; above zero where the first takes longer. */
  readonly z: number
  readonly medianDifferenceMs: number
  readonly pairs: number
}

/**
 * @param one - Does the thing once and returns its milliseconds; `index` counts from 0.
 * @param random - Uniform, from 0 up to 1.
 */
export async function compareDurations(
  one: (index: number) => Promise<number>,
  other: (index: number) => Promise<number>,
  random: () => number,
): Promise<Comparison> {
  const differences: number[] = []
  const measure = async (pairs: number) => {
    for (let i = 0; i < pairs; i++) {
      const index = differences.length
      if (random() < 0.5) {
        const first = await one(index)
        differences.push(first - (await other(index)))
      } else {
        const first = await other(index)
        differences.push((await one(index)) - first)
      }
    }
    return differences.slice(-pairs)
  }
  const result = (differ: boolean, z: number): Comparison => ({
    differ,
    z,
    medianDifferenceMs: median(differences),
    pairs: differences.length,
  })
  let z = 0
  for (let look = 0; look < LOOKS; look++) {
    await measure(Math.max(FIRST_PAIRS, differences.length))
    z = signedRank(differences)
    if (Math.abs(z) < SUSPICIOUS) continue
    const again = signedRank(await measure(differences.length))
    if (Math.abs(again) >= CONFIRMED && Math.sign(again) === Math.sign(z))
      return result(true, again)
  }
  return result(false, z)
}

/** @returns Wilcoxon's W in standard deviations from what equal distributions would give. */
export function signedRank(differences: readonly number[]): number {
  const ranked = differences
    .filter((difference) => difference !== 0)
    .sort((a, b) => Math.abs(a) - Math.abs(b))
  const n = ranked.length
  if (n === 0) return 0
  let sum = 0
  for (const [index, difference] of ranked.entries()) sum += Math.sign(difference) * (index + 1)
  return sum / Math.sqrt((n * (n + 1) * (2 * n + 1)) / 6)
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}
