/**
 * How far each digest is ahead of its rate (GCRA, one number each), in memory of a fixed size.
 *
 * Invariant: nothing grows. Where a place is full, who is least ahead is forgotten: that gives a fresh
 * burst to who needs it least. Nobody can choose whom they push out, since digests are keyed.
 */
import type { Digest } from "./addresses.ts"

const WAYS = 8

export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Of sums of milliseconds; far below what a rate gives room for. */
export const ROUNDING_MS = 1e-6

export function intervalMs({ perSecond }: Rate): number {
  return 1_000 / perSecond
}

/** @returns Until there is room for one more; 0: there is. */
export function waitMs(rate: Rate, aheadMs: number): number {
  const ms = aheadMs - (rate.burst - 1) * intervalMs(rate)
  return ms > ROUNDING_MS ? ms : 0
}

export class Buckets {
  readonly #sets: number
  /** Of each entry: two numbers of its digest, and until when (ms) it has used its rate; 0 for none. */
  readonly #tags: Uint32Array
  readonly #until: Float64Array

  /** @param size - Entries, a multiple of 8. 16 bytes each. */
  constructor(size: number) {
    this.#sets = size / WAYS
    this.#tags = new Uint32Array(2 * size)
    this.#until = new Float64Array(size)
  }

  /** @param now - Milliseconds of a clock that never goes back. @returns Milliseconds; 0 for who is not there. */
  ahead(digest: Digest, now: number): number {
    const entry = this.#find(digest)
    return entry === undefined ? 0 : Math.max(0, (this.#until[entry] ?? 0) - now)
  }

  /** @param aheadMs - Above 0: as of `now`. */
  set(digest: Digest, aheadMs: number, now: number): void {
    const entry = this.#find(digest) ?? this.#leastAhead(digest)
    this.#tags[2 * entry] = digest[1]
    this.#tags[2 * entry + 1] = digest[2]
    this.#until[entry] = now + aheadMs
  }

  #find(digest: Digest): number | undefined {
    const first = this.#first(digest)
    for (let entry = first; entry < first + WAYS; entry++) {
      if (this.#tags[2 * entry] === digest[1] && this.#tags[2 * entry + 1] === digest[2]) {
        return entry
      }
    }
    return undefined
  }

  #leastAhead(digest: Digest): number {
    const first = this.#first(digest)
    let least = first
    for (let entry = first + 1; entry < first + WAYS; entry++) {
      if ((this.#until[entry] ?? 0) < (this.#until[least] ?? 0)) least = entry
    }
    return least
  }

  #first([place]: Digest): number {
    return (place % this.#sets) * WAYS
  }
}
