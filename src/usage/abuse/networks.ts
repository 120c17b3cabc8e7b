/**
 * From how many networks a key is used, without keeping an address.
 *
 * A network (IPv4 /24, IPv6 /48) is hashed with a salt of the day and a key of the deployment; of the
 * hash, 8 bits choose a register and the number of leading zeros of 32 more is kept there, if it is
 * greater than what was (HyperLogLog). Registers go to the database as often as it is looked, where
 * those of all instances meet; how many networks they mean, `platform.sketch_count` says.
 *
 * Invariants: memory is bounded; a request costs two look-ups; an address is never kept, and its
 * connection's place in the sketch no longer than the connection.
 */
import { hash, randomBytes } from "node:crypto"
import { isIPv4 } from "node:net"
import type { Database } from "../../db/database.ts"

const DAY_MS = 86_400_000
const REGISTERS = 256
/** Keys of which registers are remembered; with one more, the oldest loses those not written yet. */
const MAX_KEYS = 10_000
const ROWS_AT_ONCE = 5_000
const SALT_BYTES = 32

/** What a request comes by: one a connection. */
export interface Connection {
  readonly remoteAddress?: string | undefined
}

/** A network's place in a day's sketches. */
interface Place {
  readonly day: Day
  readonly register: number
  readonly rank: number
}

interface Day {
  /** Days since 1970, in UTC. */
  readonly number: number
  /** Null until the database has told it: what is seen before does not count. */
  readonly secret: string | null
}

interface Sketch {
  readonly tenantId: string
  readonly ranks: Uint8Array
  /** Registers that the database does not have yet. */
  readonly fresh: Set<number>
}

export interface NetworksOptions {
  readonly database: Pick<Database, "callAside">
  readonly schema: string
  /** Makes the hash's key from a salt: a keyed hash that the database's reader cannot compute. */
  readonly secretOf: (salt: Buffer) => string
  readonly now: () => number
  /** How often registers go to the database. */
  readonly everySeconds: number
}

export class Networks {
  readonly #options: NetworksOptions
  readonly #sketches = new Map<string, Sketch>()
  #places = new WeakMap<Connection, Place>()
  #day: Day = { number: 0, secret: null }
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> = Promise.resolve()

  constructor(options: NetworksOptions) {
    this.#options = options
  }

  start(): void {
    this.#flushing = this.flush().catch(() => {})
    this.#timer = setInterval(() => {
      this.#flushing = this.flush().catch(() => {}) // what was not written is the next time
    }, this.#options.everySeconds * 1000).unref()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#flushing
    await this.flush().catch(() => {})
  }

  /** Of a request that was admitted. */
  see(
    { tenantId, keyId }: { readonly tenantId: string; readonly keyId: string },
    by: Connection,
  ): void {
    let place = this.#places.get(by)
    if (place?.day !== this.#day) {
      if (this.#day.secret === null) return
      place = placeOf(by.remoteAddress, this.#day, this.#day.secret)
      if (place === undefined) return
      this.#places.set(by, place)
    }
    let sketch = this.#sketches.get(keyId)
    if (sketch === undefined) {
      sketch = { tenantId, ranks: new Uint8Array(REGISTERS), fresh: new Set() }
      this.#sketches.set(keyId, sketch)
      const [oldest = ""] = this.#sketches.size > MAX_KEYS ? this.#sketches.keys() : []
      this.#sketches.delete(oldest)
    }
    if (place.rank <= (sketch.ranks[place.register] ?? 0)) return
    sketch.ranks[place.register] = place.rank
    sketch.fresh.add(place.register)
  }

  /** Writes what the database does not have yet, and turns to the next day. @throws Problem */
  async flush(): Promise<void> {
    const { database, schema } = this.#options
    let rows: Row[] = []
    const write = async () => {
      const columns = (["tenantId", "keyId", "register", "rank"] as const).map((field) =>
        rows.map((row) => row[field]),
      )
      const written = rows
      rows = []
      try {
        const day = dateOf(this.#day.number)
        await database.callAside(`select ${schema}.add_networks($1, $2, $3, $4, $5)`, [
          day,
          ...columns,
        ])
      } catch (error) {
        for (const { keyId, register } of written) this.#sketches.get(keyId)?.fresh.add(register)
        throw error
      }
    }
    if (this.#day.secret !== null) {
      for (const [keyId, { tenantId, ranks, fresh }] of this.#sketches) {
        for (const register of fresh) {
          rows.push({ tenantId, keyId, register, rank: ranks[register] ?? 0 })
        }
        fresh.clear()
        if (rows.length >= ROWS_AT_ONCE) await write()
      }
      if (rows.length > 0) await write()
    }
    await this.#turn()
  }

  /** The salt is asked for each time: a database that has crashed has another. */
  async #turn(): Promise<void> {
    const { database, schema, secretOf, now } = this.#options
    const number = Math.floor(now() / DAY_MS)
    const [row] = await database.callAside<{ salt: Buffer }>(
      `select ${schema}.network_salt($1, $2) as salt`,
      [dateOf(number), randomBytes(SALT_BYTES)],
    )
    if (row === undefined) return
    const secret = secretOf(row.salt)
    if (number === this.#day.number && secret === this.#day.secret) return
    this.#day = { number, secret }
    this.#sketches.clear()
    this.#places = new WeakMap()
  }
}

interface Row {
  readonly tenantId: string
  readonly keyId: string
  readonly register: number
  readonly rank: number
}

function placeOf(address: string | undefined, day: Day, secret: string): Place | undefined {
  const network = networkOf(address)
  if (network === undefined) return undefined
  const bytes = hash("sha256", `${secret} ${network}`, "buffer")
  return { day, register: bytes[0] ?? 0, rank: Math.clz32(bytes.readUInt32BE(1)) + 1 }
}

/** @returns The /24 of an IPv4 address, mapped ones too, the /48 of an IPv6 one; undefined without any. */
export function networkOf(address: string | undefined): string | undefined {
  if (address === undefined || address === "") return undefined
  const text = address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "")
  if (isIPv4(text)) return text.slice(0, text.lastIndexOf("."))
  const [head = "", tail] = text.toLowerCase().split("::")
  const groups = head === "" ? [] : head.split(":")
  const last = tail === undefined || tail === "" ? [] : tail.split(":")
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - last.length)
  return [...groups, ...Array<string>(zeros).fill("0"), ...last].slice(0, 3).join(":")
}

function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}
