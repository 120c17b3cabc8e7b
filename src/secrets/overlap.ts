/**
 * Which generation of a signing key is in use during a rotation.
 *
 * A new one is published first and signs an hour later, when whoever keeps the published keys for
 * as long as they may has it. An old one stays published for as long as what it signed is good.
 */
import type { Generation } from "./store.ts"

/** Longer than the `max-age` of the published keys. */
const PUBLISHED_BEFORE_USE_MS = 65 * 60_000

export interface InUse {
  readonly signs: Generation
  /** Published with it. */
  readonly others: readonly Generation[]
  /** When the choice changes by itself; undefined when it does not. */
  readonly changesAt: number | undefined
}

/**
 * @param generations - Newest first, at least one.
 * @param lifeMs - How long a signature is good.
 */
export function inUse(generations: readonly Generation[], lifeMs: number, now: number): InUse {
  const [newest, ...rest] = generations
  if (newest === undefined) throw new RangeError("there is no generation")
  const kept = [newest, ...rest.filter((one) => isNeeded(one, generations, lifeMs, now))]
  const signs = kept.find((one) => usableFrom(one) <= now) ?? kept.at(-1) ?? newest
  const changesAt = kept.map(usableFrom).filter((at) => at > now && kept.length > 1)
  return {
    signs,
    others: kept.filter((one) => one !== signs),
    changesAt: changesAt.length === 0 ? undefined : Math.min(...changesAt),
  }
}

/** @returns Whether something that a generation signed may still be good. */
export function isNeeded(
  generation: Generation,
  generations: readonly Generation[],
  lifeMs: number,
  now: number,
): boolean {
  const next = generations.findLast(({ number }) => number > generation.number)
  return next === undefined || now < usableFrom(next) + lifeMs
}

function usableFrom({ createdAt }: Generation): number {
  return createdAt.getTime() + PUBLISHED_BEFORE_USE_MS
}
