/**
 * How many connections each host has open: none can take the places of all others.
 *
 * Invariants: no address is kept, and there are never more entries than connections. When the digests
 * change, a host may have as many once more, until those of before are closed.
 */
import { DailyDigests } from "./addresses.ts"

export class Connections {
  readonly #most: number
  readonly #digests: DailyDigests
  readonly #open = new Map<string, number>()
  #refused = 0

  /** @param most - Of one host. @param now - Milliseconds of a clock that never goes back. */
  constructor(most: number, now: () => number = () => performance.now()) {
    this.#most = most
    this.#digests = new DailyDigests(now)
  }

  /** Hosts with an open connection. */
  get hosts(): number {
    return this.#open.size
  }

  /** Connections beyond a host's, since the start. */
  get refused(): number {
    return this.#refused
  }

  /** @param address - As the socket has it. @returns To be called once, at its end; undefined: it is one too many. */
  enter(address: string | undefined): (() => void) | undefined {
    const host = this.#digests.of(address).host.join()
    const open = this.#open.get(host) ?? 0
    if (open >= this.#most) {
      this.#refused++
      return undefined
    }
    this.#open.set(host, open + 1)
    return () => {
      const left = (this.#open.get(host) ?? 0) - 1
      if (left > 0) this.#open.set(host, left)
      else this.#open.delete(host)
    }
  }
}
