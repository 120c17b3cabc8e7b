/** Only so many at once; the others wait their turn, and past a limit are refused. */
import { Problem } from "./problem.ts"

const RETRY_AFTER_SECONDS = 10

/**
 * @param maxWaiting - How many may wait; without it, all who come.
 * @returns Runs work in one of the places, first come, first served. Rejects with Problem
 *   `UNAVAILABLE` for who may not even wait, and with what the work rejects with.
 */
export function createGate(
  places: number,
  maxWaiting: number = Number.POSITIVE_INFINITY,
): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let free = places
  return async (work) => {
    if (free > 0) free--
    else if (waiting.length >= maxWaiting) {
      throw new Problem("UNAVAILABLE", { retryAfterSeconds: RETRY_AFTER_SECONDS })
    } else await new Promise<void>((enter) => waiting.push(enter))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free++
      else next() // takes the place over
    }
  }
}
