/**
 * Addresses as digests: what limits on strangers are counted by.
 *
 * Invariant: an address is kept nowhere, and of its digests none can be traced back or compared with
 * another day's or instance's: the key is random, in memory alone, and another one every day.
 */
import { hash, randomBytes } from "node:crypto"
import { isIPv6 } from "node:net"

const BLOCK_BYTES = 64
const DAY_MS = 86_400_000

/** Three numbers of 32 bits: a place in a table, and what tells two of one place apart. */
export type Digest = readonly [number, number, number]

export class AddressDigests {
  readonly #inner: Uint8Array
  readonly #outer: Uint8Array

  /** @param key - 32 random bytes. */
  constructor(key: Uint8Array = randomBytes(32)) {
    const padded = [...key, ...Array(BLOCK_BYTES - key.length).fill(0)]
    this.#inner = Uint8Array.from(padded, (byte) => byte ^ 0x36)
    this.#outer = Uint8Array.from(padded, (byte) => byte ^ 0x5c)
  }

  /**
   * @param address - As a socket has it; undefined where the connection is gone.
   * @returns Of the host: an IPv4 address, or the /64 that an IPv6 host can choose from. Of the network:
   *   the /48 around it, which is what a customer is given at most (RFC 6177); IPv4 has none.
   */
  of(address = ""): { readonly host: Digest; readonly network: Digest | undefined } {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, "")
    if (!isIPv6(plain)) return { host: this.#digest(plain), network: undefined }
    const groups = firstGroups(plain)
    return {
      host: this.#digest(groups.join(":")),
      network: this.#digest(groups.slice(0, 3).join(":")),
    }
  }

  /** HMAC-SHA-256 (RFC 2104) without createHmac's object a request: a flood would fill the heap. */
  #digest(text: string): Digest {
    const within = hash("sha256", Buffer.concat([this.#inner, Buffer.from(text)]), "buffer")
    const bytes = hash("sha256", Buffer.concat([this.#outer, within]), "buffer")
    return [bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt32LE(8)]
  }
}

/** The same under another key every day: who was counted before is not found any more. */
export class DailyDigests {
  readonly #now: () => number
  #digests = new AddressDigests()
  #since: number

  /** @param now - Milliseconds of a clock that never goes back. */
  constructor(now: () => number) {
    this.#now = now
    this.#since = now()
  }

  of(address: string | undefined): ReturnType<AddressDigests["of"]> {
    const now = this.#now()
    if (now - this.#since >= DAY_MS) {
      this.#digests = new AddressDigests()
      this.#since = now
    }
    return this.#digests.of(address)
  }
}

/** @returns The first four groups of an IPv6 address, without leading zeros. */
function firstGroups(address: string): string[] {
  const [head = "", tail] = address.split("::").map((part) => part.split(":").filter(Boolean))
  const groups = [...head]
  if (tail !== undefined) groups.push(...Array(8 - head.length - tail.length).fill("0"), ...tail)
  return groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
}
