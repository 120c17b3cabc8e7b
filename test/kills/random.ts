/** Numbers that look random and come again with their seed (mulberry32), so that a failure can be repeated. */

export interface Random {
  readonly seed: number
  /** @returns From 0, below 1. */
  next(): number
  /** @returns An element, by its weight. */
  pick<T extends { readonly weight: number }>(from: readonly T[]): T
}

/** @param seed - By default a new one, or that of `TEST_SEED`. */
export function seeded(seed = Number(process.env["TEST_SEED"] ?? Date.now() % 1e9)): Random {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    seed,
    next,
    pick(from) {
      let at = next() * from.reduce((sum, { weight }) => sum + weight, 0)
      const found = from.find(({ weight }) => {
        at -= weight
        return at < 0
      })
      if (found === undefined) throw new Error("nothing to pick from")
      return found
    },
  }
}
