/**
 * How often one address asked for a key today: one host shall not fill the operator's list.
 *
 * Invariant: no address is kept. What is counted is a digest with a key that is random, in memory alone,
 * and another one each day; entries are bounded, the longest unused go first.
 */
import { createHmac, randomBytes } from "node:crypto"
import ipaddr from "ipaddr.js"
import { LRUCache } from "lru-cache"

const ENTRIES = 65_536
const DAY_MS = 86_400_000

export class Askers {
  readonly #most: number
  readonly #now: () => number
  readonly #asked = new LRUCache<string, number>({ max: ENTRIES })
  #key = randomBytes(32)
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
      this.#key = randomBytes(32)
      this.#asked.clear()
      this.#since = now
    }
    const digest = createHmac("sha256", this.#key).update(hostOf(address)).digest("latin1")
    const asked = this.#asked.get(digest) ?? 0
    if (asked >= this.#most) return Math.ceil((this.#since + DAY_MS - now) / 1_000)
    this.#asked.set(digest, asked + 1)
    return 0
  }
}

/** @returns An IPv4 address, or the /64 that an IPv6 host can choose from. */
function hostOf(address = ""): string {
  if (!ipaddr.isValid(address)) return ""
  const host = ipaddr.process(address)
  return host instanceof ipaddr.IPv6 ? host.parts.slice(0, 4).join(":") : host.toString()
}
