/**
 * Mails the links of self-service, by the running server.
 *
 * Owns: when, and how often. Not: how mail goes out (mail/), what is due (`platform.take_key_link`).
 * Invariants: of several instances one takes a request; a mail that fails is tried again with a new
 * link, eight times over some four hours, and then stays for an operator ('requests relink'). Nobody who
 * asks waits for a mail.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Database } from "../db/database.ts"
import type { Keyring } from "../secrets/keyring.ts"
import type { LinkMail } from "./link.ts"
import { LINK_HOURS, linkMail, newLink } from "./link.ts"
import { openAsked } from "./request.ts"

const LOOK_MS = 30_000
const HOUR_MS = 3_600_000

export interface LinkPostOptions {
  readonly database: Pick<Database, "callAside">
  readonly keyring: Keyring
  readonly send: (mail: LinkMail & { readonly to: string }) => Promise<void>
  /** `https://host:port`, once it is known. */
  readonly origin: () => string
  readonly now: () => number
  /** Told of each mail that was not taken, and each look that failed. */
  readonly failed: (error: unknown) => void
}

export class LinkPost {
  readonly #options: LinkPostOptions
  readonly #stop = new AbortController()
  #kick = Promise.withResolvers<void>()
  #loop: Promise<void> = Promise.resolve()

  constructor(options: LinkPostOptions) {
    this.#options = options
  }

  start(): void {
    this.#loop = this.#run().catch(() => {}) // only being stopped ends it
  }

  /** Something is due: looks now. */
  kick(): void {
    this.#kick.resolve()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#loop
  }

  /** Mails all that is due. @returns How many went out. */
  async look(): Promise<number> {
    let sent = 0
    try {
      for (let more = true; more && !this.#stop.signal.aborted; ) {
        const outcome = await this.#next()
        more = outcome !== "none"
        if (outcome === "sent") sent += 1
      }
    } catch (error) {
      this.#options.failed(error)
    }
    return sent
  }

  async #next(): Promise<"none" | "sent" | "failed"> {
    const { database, keyring, send, origin, now, failed } = this.#options
    const link = newLink()
    const [due] = await database.callAside<{ id: string; sealed: Buffer }>(
      "select id, sealed from platform.take_key_link($1, $2)",
      [link.digest, LINK_HOURS],
    )
    if (due === undefined) return "none"
    const { contact } = await openAsked(keyring, due.id, due.sealed)
    const endsAt = new Date(now() + LINK_HOURS * HOUR_MS)
    try {
      await send({ to: contact, ...linkMail(origin(), link.token, endsAt) })
    } catch (error) {
      failed(error)
      return "failed" // due again later, by what taking it has set
    }
    await database.callAside("select platform.key_link_mailed($1)", [link.digest])
    return "sent"
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    for (;;) {
      this.#kick = Promise.withResolvers<void>()
      const kicked = this.#kick.promise // also while this look is under way
      await this.look()
      const resting = new AbortController()
      const stopped = AbortSignal.any([signal, resting.signal])
      const rest = sleep(LOOK_MS, undefined, { signal: stopped, ref: false })
      await Promise.race([rest, kicked]).finally(() => resting.abort())
      rest.catch(() => {})
      signal.throwIfAborted()
    }
  }
}
