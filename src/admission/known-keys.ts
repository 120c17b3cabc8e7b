/**
 * Is a stranger's key anybody's? Asked before admission while strangers come in floods, so that a good
 * key that this instance has not seen yet gets through, and the others cost no more than this.
 *
 * Owns: one look-up for many keys, at most every 20 ms, and every 100 ms while nobody asks but strangers.
 * Not: whether a key is good (admission.ts), who has to ask (http/gate.ts). Invariants: each question is
 * answered once, within its deadline; what waits is bounded; no key is remembered; the unknown are counted
 * as admission counts them.
 */
import type { Database, Environment } from "../db/database.ts"
import { SCHEMAS } from "../db/database.ts"
import { UnknownKeys } from "./unknown-keys.ts"

const EVERY_MS = 20
const AMONG_STRANGERS_MS = 100
const MAX_BATCH = 1_000
const MAX_WAITING = 10_000
const DEADLINE_MS = 3_000

/** `busy`: too many wait already. `unavailable`: the database does not answer. */
export type Known = "known" | "unknown" | "busy" | "unavailable"

interface Question {
  readonly index8: string
  readonly digest: string
  readonly answer: (known: Known) => void
  readonly at: number
}

export class KnownKeys {
  readonly #database: Pick<Database, "callAside">
  readonly #statement: string
  readonly #unknownKeys: UnknownKeys
  #waiting: Question[] = []
  #running = false
  #everyMs = EVERY_MS
  /** A look-up is past its deadline: whoever comes is answered at once. */
  #stuck = false

  constructor(database: Pick<Database, "callAside">, environment: Environment) {
    this.#database = database
    const schema = SCHEMAS[environment]
    this.#statement = `select ${schema}.known_keys($1, $2)::integer as position`
    this.#unknownKeys = new UnknownKeys(database, schema, Date.now)
  }

  /** @param digest - Lower-case hex. */
  ask(index8: string, digest: string, answer: (known: Known) => void): void {
    if (this.#stuck) answer("unavailable")
    else if (this.#waiting.length >= MAX_WAITING) answer("busy")
    else this.#waiting.push({ index8, digest, answer, at: performance.now() })
    if (this.#running || this.#stuck) return
    this.#running = true
    void this.#run()
  }

  /** Writes what is only counted. The database is still open, and nobody asks any more. */
  close(): Promise<void> {
    return this.#unknownKeys.flush()
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (this.#waiting.length < MAX_BATCH)
        await new Promise((resolve) => setTimeout(resolve, this.#everyMs))
      await this.#look(this.#waiting.splice(0, MAX_BATCH))
    }
    this.#running = false
  }

  async #look(batch: readonly Question[]): Promise<void> {
    const leftMs = (batch[0]?.at ?? 0) + DEADLINE_MS - performance.now()
    const deadline = setTimeout(() => {
      this.#stuck = true
      for (const { answer } of [...batch, ...this.#waiting.splice(0)]) answer("unavailable")
    }, leftMs)
    const keys = [batch.map(({ index8 }) => index8), batch.map(({ digest }) => digest)]
    const positions = await this.#database
      .callAside<{ position: number }>(this.#statement, keys)
      .then((rows) => new Set(rows.map(({ position }) => position)))
      .catch(() => undefined) // health says what is wrong
    clearTimeout(deadline)
    if (this.#stuck) {
      this.#stuck = false
      return
    }
    this.#everyMs = positions?.size === 0 ? AMONG_STRANGERS_MS : EVERY_MS
    if (positions !== undefined && positions.size < batch.length) {
      this.#unknownKeys.add(batch.length - positions.size)
    }
    for (const [index, { answer }] of batch.entries()) {
      if (positions === undefined) answer("unavailable")
      else answer(positions.has(index + 1) ? "known" : "unknown")
    }
  }
}
