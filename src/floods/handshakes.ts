/**
 * When a connection's handshake begins: those of strangers are spread, so that a flood of connections gets
 * a small part of the event loop's time.
 *
 * Owns: who is a stranger among hosts, and how long they wait. Not: how many connections a host has.
 * Invariants: a host from which a good key came waits for nobody, until the end of the day. Who opens few
 * connections does not wait for who opens many. No address is kept, and what waits is bounded.
 */
import type { Digest } from "./addresses.ts"
import { DailyDigests } from "./addresses.ts"
import type { Rate } from "./buckets.ts"
import { Buckets, intervalMs, waitMs } from "./buckets.ts"

/** Of hosts that open few connections, and of the others: so many each. */
const PACE: Rate = { perSecond: 100, burst: 10 }
/** A host within it opens few. */
const FEW: Rate = { perSecond: 1, burst: 64 }
/** Who would wait longer has given up by then. */
const HOLD_MS = 10_000
/** Digests are of a day as well. */
const KNOWN_MS = 86_400_000
const ENTRIES = 65_536

interface Connection {
  readonly remoteAddress?: string | undefined
}

export class Handshakes {
  readonly #now: () => number
  readonly #digests: DailyDigests
  readonly #known = new Buckets(ENTRIES)
  readonly #opened = new Buckets(ENTRIES)
  /** Until when those that open few, and the others, have used their pace. */
  readonly #until = { few: 0, many: 0 }
  readonly #welcome = new WeakSet<Connection>()
  /** What waits, by host. */
  readonly #waiting = new Map<string, Set<() => void>>()
  #held = 0
  #refused = 0

  /** @param now - Milliseconds of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#digests = new DailyDigests(now)
  }

  /** Connections whose handshake has not begun. */
  get waiting(): number {
    return [...this.#waiting.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** Connections that had to wait, since the start. */
  get held(): number {
    return this.#held
  }

  /** Connections that would have had to wait too long, since the start. */
  get refused(): number {
    return this.#refused
  }

  /**
   * @param address - As the socket has it.
   * @param begin - Called once, at once or later; must not throw.
   * @returns False where too many wait; then it is not called.
   */
  enter(address: string | undefined, begin: () => void): boolean {
    const now = this.#now()
    const { host } = this.#digests.of(address)
    if (this.#known.ahead(host, now) > 0) {
      begin()
      return true
    }
    const openedMs = this.#opened.ahead(host, now)
    const pace = waitMs(FEW, openedMs) === 0 ? "few" : "many"
    const aheadMs = Math.max(0, this.#until[pace] - now)
    const wait = waitMs(PACE, aheadMs)
    if (wait > HOLD_MS) {
      this.#refused++
      return false
    }
    this.#until[pace] = now + aheadMs + intervalMs(PACE)
    if (pace === "few") this.#opened.set(host, openedMs + intervalMs(FEW), now)
    if (wait === 0) begin()
    else this.#hold(host, begin, wait)
    return true
  }

  /** A request with a good key came by it. */
  welcome(connection: Connection): void {
    if (this.#welcome.has(connection)) return
    this.#welcome.add(connection)
    const { host } = this.#digests.of(connection.remoteAddress)
    this.#known.set(host, KNOWN_MS, this.#now())
    for (const begin of this.#waiting.get(host.join()) ?? []) begin()
  }

  #hold(host: Digest, begin: () => void, ms: number): void {
    this.#held++
    const name = host.join()
    const waiting = this.#waiting.get(name) ?? new Set()
    this.#waiting.set(name, waiting)
    const end = () => {
      clearTimeout(timer)
      waiting.delete(end)
      if (waiting.size === 0) this.#waiting.delete(name)
      begin()
    }
    const timer = setTimeout(end, ms)
    waiting.add(end)
  }
}
