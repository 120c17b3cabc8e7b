/**
 * Which of a login's passwords is tried. During a rotation the store has two and the server one:
 * nobody need know which, since a refused one is followed by the next.
 */

export interface PasswordChoice {
  readonly password: string
  /** All that may be the right one, the newest first; asked when `password` is refused. */
  readonly passwords?: readonly string[] | (() => Promise<readonly string[]>)
}

/** Of one pool, or one login outside a pool. */
export class Passwords {
  readonly #all: () => Promise<readonly string[]>
  #current: string

  constructor({ password, passwords }: PasswordChoice) {
    this.#current = password
    this.#all = typeof passwords === "function" ? passwords : async () => passwords ?? [password]
  }

  get current(): string {
    return this.#current
  }

  /**
   * After a refusal.
   * @param tried - The password that was current when the login began.
   * @returns Whether there is another to try.
   */
  async next(tried: string): Promise<boolean> {
    if (tried !== this.#current) return true // another login was refused, and went on
    const all = await this.#all()
    const next = all[(all.indexOf(tried) + 1) % all.length] ?? tried
    if (this.#current === tried) this.#current = next
    return this.#current !== tried
  }
}

/** Tries of one login: those of a rotation, and one more that comes in between. */
export const MAX_LOGIN_TRIES = 4

/** @returns Whether the server refused the password (SQLSTATE 28P01). */
export function isRefusedPassword(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "28P01"
}
