/**
 * Limits on requests without a key that is known: by host, by network (IPv6), and for all together.
 *
 * Owns: how much, and who is let in. Not: how others are refused, and that no good key is (http/gate.ts).
 * Invariants: no address is kept, memory is fixed, no I/O. Who is refused uses up nothing. While some
 * ask for much, who asks for little finds the other half of what all have together.
 */
import { DailyDigests } from "./addresses.ts"
import type { Rate } from "./buckets.ts"
import { Buckets, intervalMs, ROUNDING_MS, waitMs } from "./buckets.ts"

export interface Limit extends Rate {
  /** As `RateLimit-Policy` names it. */
  readonly name: "host" | "network" | "all"
}

/** @param perSecond - What one instance answers to strangers. */
function limitsOf(perSecond: number) {
  return {
    /** An IPv4 address, or an IPv6 /64. */
    host: { name: "host", perSecond: perSecond / 10, burst: Math.ceil(perSecond / 5) },
    /** An IPv6 /48. */
    network: { name: "network", perSecond: perSecond * 0.4, burst: Math.ceil(perSecond * 0.8) },
    all: { name: "all", perSecond, burst: perSecond },
  } satisfies Record<Limit["name"], Limit>
}

/** A host within it asks for little. */
const LITTLE: Rate = { perSecond: 1, burst: 20 }

const ENTRIES = 65_536

export interface Verdict {
  /** What refused it; the host's where it is let in. */
  readonly limit: Limit
  /** Requests that are left of that. */
  readonly left: number
  /** Until that is whole again. */
  readonly wholeMs: number
  /** Until there is room for a request; 0: it is let in. */
  readonly waitMs: number
}

export class Strangers {
  readonly #limits: Readonly<Record<Limit["name"], Limit>>
  readonly #now: () => number
  readonly #buckets = new Buckets(ENTRIES)
  readonly #quiet = new Buckets(ENTRIES)
  readonly #digests: DailyDigests
  /** Until when all together have used their rate. */
  #allUntil = Number.NEGATIVE_INFINITY
  #refused = 0

  /**
   * @param perSecond - What one instance answers to all of them, 10 or more.
   * @param now - Milliseconds of a clock that never goes back.
   */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#limits = limitsOf(perSecond)
    this.#now = now
    this.#digests = new DailyDigests(now)
  }

  /** Requests that were over a limit, since the start. */
  get refused(): number {
    return this.#refused
  }

  /** Counts a request, if there is room for it. @param address - As its socket has it. */
  take(address: string | undefined): Verdict {
    const now = this.#now()
    const { host, network } = this.#digests.of(address)
    const { host: ofHost, network: ofNetwork, all } = this.#limits
    const hostAheadMs = this.#buckets.ahead(host, now)
    const networkAheadMs = network === undefined ? 0 : this.#buckets.ahead(network, now)
    const allAheadMs = Math.max(0, this.#allUntil - now)
    const quietAheadMs = this.#quiet.ahead(host, now)
    const isQuiet = waitMs(LITTLE, quietAheadMs) === 0
    const verdict = strictest([
      judge(ofHost, hostAheadMs),
      judge(ofNetwork, networkAheadMs),
      judge(all, allAheadMs, isQuiet ? all.burst : all.burst / 2),
    ])
    if (verdict.waitMs > 0) {
      this.#refused++
      return verdict
    }
    if (isQuiet) this.#quiet.set(host, quietAheadMs + intervalMs(LITTLE), now)
    this.#buckets.set(host, hostAheadMs + intervalMs(ofHost), now)
    if (network !== undefined) {
      this.#buckets.set(network, networkAheadMs + intervalMs(ofNetwork), now)
    }
    this.#allUntil = now + allAheadMs + intervalMs(all)
    return verdict
  }
}

function judge(limit: Limit, aheadMs: number, burst = limit.burst): Verdict {
  const interval = intervalMs(limit)
  const wait = waitMs({ ...limit, burst }, aheadMs)
  if (wait > 0) return { limit, left: 0, wholeMs: aheadMs, waitMs: wait }
  const left = Math.floor(limit.burst - aheadMs / interval - 1 + ROUNDING_MS)
  return { limit, left, wholeMs: aheadMs + interval, waitMs: 0 }
}

/** @returns Who makes wait longest; the first where nobody does. */
function strictest([first, ...others]: readonly [Verdict, ...Verdict[]]): Verdict {
  return others.reduce((worst, one) => (one.waitMs > worst.waitMs ? one : worst), first)
}
