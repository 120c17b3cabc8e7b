/**
 * How often one address asked for a key today: one host shall not fill the operator's list.
 *
 * Invariant: no address is kept (floods/addresses.ts), and its digest no longer than a day; entries are
 * bounded, the longest unused go first.
 */
import { LRUCache } from "lru-cache"
import { AddressDigests } from "../floods/addresses.ts"

const ENTRIES = 65_536
const DAY_MS = 86_400_000

export class Askers {
  readonly #most: number
  readonly #now: () => number
  readonly #asked = new LRUCache<string, number>({ max: ENTRIES })
  #digests = new AddressDigests()
  #since: number

  /** @param most - Requests of one address a day. @param now - Milliseconds. */
  constructor(most: number, now: () => number) {
    this.#most = most
    this.#now = now
    this.#since = now()
  }

  /**
   * Counts a request.
   * @param address - As a socket has it.
   * @returns Seconds to wait; 0: it may go on.
   */
  take(address: string | undefined): number {
    const now = this.#now()
    if (now - this.#since >= DAY_MS || now < this.#since) {
      this.#digests = new AddressDigests()
      this.#asked.clear()
      this.#since = now
    }
    const digest = this.#digests.of(address).host.join()
    const asked = this.#asked.get(digest) ?? 0
    if (asked >= this.#most) return Math.ceil((this.#since + DAY_MS - now) / 1_000)
    this.#asked.set(digest, asked + 1)
    return 0
  }
}
